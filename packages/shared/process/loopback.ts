const form = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i

/** Whether `host`, a name or an address, in brackets or not, is this machine for nobody but itself. */
export function isLoopback(host: string): boolean {
  return form.test(host)
}
