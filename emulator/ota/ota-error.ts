/** Why something about firmware cannot be done; the API puts `iot.ota.` in front of the code. */
export class OtaError extends Error {
  override readonly name = 'OtaError';
  constructor(
    readonly code:
      | 'InvalidFirmware'
      | 'InvalidModule'
      | 'InvalidJob'
      | 'NotExistedFirmware'
      | 'NotExistedJob'
      | 'NotExistedTask'
      | 'FirmwareExists'
      | 'FirmwareInUse'
      | 'ModuleInUse'
      | 'NotVerified'
      | 'DynamicJobExists'
      | 'ExceedLimit',
    message: string,
  ) {
    super(message);
  }
}
