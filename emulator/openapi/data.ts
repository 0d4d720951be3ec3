import type { Json, PropertyDefinition } from '../../protocol';
import type { ActionParameters } from './parameters';

const LARGEST_PAGE = 50;

interface Timed {
  time: number;
}

/** One page of entries with `StartTime` … `EndTime`, `Asc` and `PageSize`. */
export function page<T extends Timed>(parameters: ActionParameters, entries: Iterable<T>) {
  const asc = parameters.number('Asc', 0, { max: 1 }) === 1;
  const first = parameters.number('StartTime', asc ? 0 : Number.MAX_SAFE_INTEGER);
  const last = parameters.number('EndTime', asc ? Number.MAX_SAFE_INTEGER : 0);
  const size = parameters.number('PageSize', LARGEST_PAGE, { min: 1, max: LARGEST_PAGE });
  // Descending queries give the later time as start, or not at all.
  const [from, to] = [Math.min(first, last), Math.max(first, last)];
  const fitting = [...entries].filter(({ time }) => time >= from && time <= to);
  fitting.sort((a, b) => (asc ? a.time - b.time : b.time - a.time));
  const next = fitting[size];
  return { entries: fitting.slice(0, size), nextValid: next !== undefined, nextTime: next?.time };
}

export function queryDevicePropertyStatus(parameters: ActionParameters): object {
  const device = parameters.device();
  const model = device.product.thingModel;
  const identifiers = new Set([...(model?.properties.keys() ?? []), ...device.properties.keys()]);
  const rows = [...identifiers].map((identifier) => {
    const definition = model?.properties.get(identifier);
    const sample = device.properties.get(identifier)?.last();
    return {
      Identifier: identifier,
      Name: definition?.name ?? identifier,
      DataType: definition?.dataType.type ?? 'text',
      Unit: unitOf(definition),
      ...(sample === undefined ? {} : { Time: String(sample.time), Value: valueText(sample.value) }),
    };
  });
  return { Data: { List: { PropertyStatusInfo: rows } } };
}

export function queryDevicePropertyData(parameters: ActionParameters): object {
  const device = parameters.device();
  const samples = device.properties.get(parameters.text('Identifier')) ?? [];
  const { entries, nextValid, nextTime } = page(parameters, samples);
  const rows = entries.map(({ time, value }) => ({ Time: String(time), Value: valueText(value) }));
  return { Data: { NextValid: nextValid, ...next(nextTime), List: { PropertyInfo: rows } } };
}

export function queryDevicePropertiesData(parameters: ActionParameters): object {
  const device = parameters.device();
  const infos = parameters.list('Identifier').map((identifier) => ({
    identifier,
    page: page(parameters, device.properties.get(identifier) ?? []),
  }));
  const nextTimes = infos.flatMap(({ page: { nextTime } }) => (nextTime === undefined ? [] : [nextTime]));
  return {
    NextValid: nextTimes.length > 0,
    ...next(nextTimes[0]),
    PropertyDataInfos: {
      PropertyDataInfo: infos.map(({ identifier, page: { entries } }) => ({
        Identifier: identifier,
        List: { PropertyInfo: entries.map(({ time, value }) => ({ Time: time, Value: valueText(value) })) },
      })),
    },
  };
}

export function queryDeviceEventData(parameters: ActionParameters): object {
  const device = parameters.device();
  const type = parameters.optional('EventType');
  const identifier = parameters.optional('Identifier');
  const wanted = [...device.events].filter(
    (event) =>
      (type === undefined || event.type === type) &&
      (identifier === undefined || event.identifier === identifier),
  );
  const { entries, nextValid, nextTime } = page(parameters, wanted);
  const rows = entries.map((event) => ({
    Identifier: event.identifier,
    Name: event.name,
    EventType: event.type,
    OutputData: JSON.stringify(event.value),
    Time: String(event.time),
  }));
  return { Data: { NextValid: nextValid, ...next(nextTime), List: { EventInfo: rows } } };
}

function next(nextTime: number | undefined): object {
  return nextTime === undefined ? {} : { NextTime: nextTime };
}

// The API gives every value as text.
export function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function unitOf(definition: PropertyDefinition | undefined): string {
  const dataType = definition?.dataType;
  return dataType !== undefined && 'unit' in dataType ? (dataType.unit ?? '') : '';
}
