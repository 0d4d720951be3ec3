import type { StoredFile } from '../registry/files';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

function queryDeviceFileList(parameters: ActionParameters): object {
  const { rows, ...paging } = parameters.page(parameters.device().files.list());
  return { ...paging, Data: { FileSummary: rows.map(summary) } };
}

/** The address works as long as the file is kept; whoever knows it may read the file. */
function queryDeviceFile(parameters: ActionParameters): object {
  const file = fileOf(parameters);
  return { Data: { ...summary(file), DownloadUrl: `${parameters.origin}/files/${file.fileId}` } };
}

function deleteDeviceFile(parameters: ActionParameters): object {
  const { fileId } = fileOf(parameters);
  parameters.device().files.remove(fileId);
  return {};
}

function fileOf(parameters: ActionParameters): StoredFile {
  const file = parameters.device().files.get(parameters.text('FileId'));
  if (file === undefined) throw new ActionError('iot.file.NotExistedFile', 'The file does not exist.');
  return file;
}

function summary({ fileId, name, content, time }: StoredFile): object {
  return { FileId: fileId, Name: name, Size: String(content.length), UtcCreatedOn: utcTime(time) };
}

export const FILE_ACTIONS = {
  QueryDeviceFileList: queryDeviceFileList,
  QueryDeviceFile: queryDeviceFile,
  DeleteDeviceFile: deleteDeviceFile,
};
