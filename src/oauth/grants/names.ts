/** The name of the device grant (RFC 8628 section 3.4), which is too long to write twice. */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
