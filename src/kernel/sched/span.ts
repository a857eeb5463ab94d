/** Bytes of a request. */
import type { RequestContext } from '../netlink/context.ts'
import type { Span } from '../rtnetlink/policy-types.ts'

/** What is in `span`, not copied. */
export function bytesOf({ view }: RequestContext, { at, end }: Span): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, end - at)
}
