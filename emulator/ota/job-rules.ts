import type { Device } from '../registry/device';
import { type Firmware, VERIFICATION } from './firmware';
import type { OtaJob, OtaJobSettings } from './jobs';
import { OtaError } from './ota-error';

const MOST_VERIFYING = 10;
const LONGEST_PLAN_MS = 7 * 24 * 3_600_000;
const LONGEST_BATCH_MS = 30 * 24 * 3_600_000;

/**
 * Whether a batch can be made.
 * @param earlier batches of the package
 * @param mqttBytes largest firmware that goes over MQTT
 * @throws OtaError that says why not
 */
export function checkJob(
  firmware: Firmware,
  settings: OtaJobSettings,
  devices: readonly Device[],
  { earlier, mqttBytes, now }: { earlier: readonly OtaJob[]; mqttBytes: number; now: number },
): void {
  const { verification } = firmware;
  const wrong = (message: string) => new OtaError('InvalidJob', message);
  if (settings.type === 'VERIFY_FIRMWARE') {
    if (verification === VERIFICATION.done || verification === VERIFICATION.running) {
      throw wrong('the package is verified or being verified');
    }
    if (devices.length === 0 || devices.length > MOST_VERIFYING) {
      throw wrong(`a verification takes 1 to ${MOST_VERIFYING} devices`);
    }
  } else if (verification !== VERIFICATION.done && verification !== VERIFICATION.notNeeded) {
    throw new OtaError('NotVerified', 'the package is not verified');
  }
  if (settings.protocol === 'MQTT' && (firmware.files.length !== 1 || firmware.size > mqttBytes)) {
    throw wrong(`over MQTT goes one file of at most ${mqttBytes} bytes`);
  }
  if (devices.some(({ product }) => product.productKey !== firmware.settings.productKey)) {
    throw wrong('a device is of another product');
  }
  const { scheduledAt = now, finishAt = scheduledAt + 1, timeoutMs, retryCount, retryMs } = settings;
  if (scheduledAt > now + LONGEST_PLAN_MS) throw wrong('it is planned for too late');
  if (finishAt <= scheduledAt || finishAt > scheduledAt + LONGEST_BATCH_MS) {
    throw wrong('it ends 30 days after its beginning at the latest');
  }
  if (retryCount > 0 && timeoutMs !== undefined && retryMs >= timeoutMs) {
    throw wrong('a device has less time than there is between two tries');
  }
  if (settings.multiModule && settings.overwrite) throw wrong('several modules cannot be overwritten');
  if (settings.selection === 'DYNAMIC' && earlier.some(({ isTaking }) => isTaking)) {
    throw new OtaError('DynamicJobExists', 'the package has a dynamic batch already');
  }
}

/** Whether a batch is for what runs on a device. */
export function fits({ firmware, settings }: OtaJob, device: Device): boolean {
  const { module, version, srcVersion } = firmware.settings;
  const running = device.moduleVersions.get(module)?.version ?? '';
  if (running === version) return false;
  if (srcVersion !== undefined && running !== srcVersion) return false;
  return settings.srcVersions.length === 0 || settings.srcVersions.includes(running);
}
