/**
 * What a route puts around its packets. Nothing is encapsulated here: it is kept, compared and
 * shown. What it says is between who made it and who shows it.
 *
 * Kernel: include/net/lwtunnel.h struct lwtunnel_state.
 */
export interface Encap {
  /** LWTUNNEL_ENCAP_*. */
  readonly type: number
  /** The attributes as they are shown, type by type: routes with the same bytes say the same. */
  readonly content: Uint8Array
}

/** lwtunnel_cmp_encap(). */
export function isSameEncap(a: Encap | undefined, b: Encap | undefined): boolean {
  if (!a || !b) return a === b
  return a.type === b.type && encapKey(a) === encapKey(b)
}

/** What it is compared by. */
export function encapKey(encap: Encap | undefined): string {
  return encap ? `${encap.type}:${encap.content.join()}` : ''
}
