/** Where firmware files are posted to, as a form of the platform's object storage (`GenerateOTAUploadURL`). */
export const UPLOAD_PATH = '/oss-upload/';
