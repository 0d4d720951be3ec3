import { generate } from 'selfsigned';

/** A key and a certificate that nobody trusts unless told to. */
export interface TestCertificate {
  key: string;
  cert: string;
}

/** @param hosts names and addresses the certificate is for; none of them is this machine's own by default */
export async function certificate(
  hosts: { names?: string[]; addresses?: string[] } = { names: ['localhost'], addresses: ['127.0.0.1'] },
  days = 2,
): Promise<TestCertificate> {
  const altNames = [
    ...(hosts.names ?? []).map((value) => ({ type: 2 as const, value })),
    ...(hosts.addresses ?? []).map((ip) => ({ type: 7 as const, ip })),
  ];
  const from = days > 0 ? new Date(Date.now() - 3600_000) : new Date('2020-01-01T00:00:00Z');
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'test' }], {
    keySize: 2048,
    notBeforeDate: from,
    notAfterDate: new Date(days > 0 ? Date.now() + days * 86_400_000 : from.getTime() + 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { key, cert };
}
