/** nlkit/wire: bytes. Headers, attributes, a writer; no schema, no sockets. */
export { align4 } from './align.ts'
export { AttributeWalker } from './attribute.ts'
export * from './constants.ts'
export { MessageWalker, viewOf } from './message.ts'
export { HOST_LE } from './order.ts'
export { Writer } from './writer.ts'
