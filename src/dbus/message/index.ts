/** The D-Bus wire format: messages, their values, the names in them. */
export * from './constants.ts'
export * from './header.ts'
export * from './message.ts'
export * from './names.ts'
export { readValues, Variant } from './reader.ts'
export { headerAt } from './scan.ts'
export { isSignature, parseSignature, parseSingleType, type TypeNode } from './signature.ts'
export { ValueWriter } from './writer.ts'
