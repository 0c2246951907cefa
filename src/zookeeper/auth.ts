/** Credentials as Vitess keeps them in a file, `<scheme>:<auth>`. Undefined: they are not of that form. */
export function parseAuth(text: string): { readonly scheme: string; readonly auth: string }[] | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  return [{ scheme: text.slice(0, colon), auth: text.slice(colon + 1).trimEnd() }];
}
