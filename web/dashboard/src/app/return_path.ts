/** Where to go after a login: back to where somebody came from, and never to another site. */

/** @param wanted as it stands in the address bar, so anybody's */
export function safeReturn(wanted: string | null): string {
  if (wanted === null || !/^\/(?![/\\])[^\p{Cc}\\]*$/u.test(wanted)) return '/'
  return wanted.startsWith('/login') || wanted.startsWith('/change-password') ? '/' : wanted
}
