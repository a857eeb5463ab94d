/** nlkit/schema: the language in which families are written. */
export { formatIpv4, formatIpv6, formatMac, parseIp, parseMac } from './address.ts'
export {
  type AttrDefinition,
  type AttrDefinitions,
  type AttrInputs,
  type AttrPart,
  type AttrSet,
  type AttrType,
  type AttrValues,
  attrs,
  lazy,
  nest,
} from './attrs.ts'
export {
  array,
  type Keyed,
  keyed,
  list,
  multi,
  type NestFlag,
  type SelectedType,
  selected,
  variant,
} from './container.ts'
export { type Copier, makeCopier } from './copy.ts'
export type { Deferred, DeferredReader } from './deferred.ts'
export {
  type Exchange,
  type ExchangeKind,
  type Family,
  type GenlFamily,
  type GroupName,
  genlFamily,
  type Notification,
  type NotificationDefinition,
  type Op,
  type OpsWith,
  opName,
  type RawFamily,
  type Reply,
  type ReplyInput,
  type Request,
  type RequestInput,
  rawFamily,
} from './family.ts'
export {
  type FamilyLookup,
  type FormatOptions,
  formatMessage,
  formatValue,
  summarizeMessage,
} from './format.ts'
export {
  type BigIntegerType,
  type Bitfield32,
  be16,
  be32,
  be64,
  bigEndian,
  bitfield32,
  bits,
  enumeration,
  type IntegerType,
  littleEndian,
  named,
  s8,
  s16,
  s32,
  s64,
  sint,
  u8,
  u16,
  u32,
  u64,
  uint,
} from './integer.ts'
export {
  type AnyMessage,
  type AttrMessage,
  type HeaderMessage,
  type Message,
  message,
  type StructMessage,
} from './message.ts'
export {
  type BinaryType,
  binary,
  etherAddress,
  flag,
  flagOrU8,
  ipAddress,
  ipv4,
  ipv6,
  mac,
  mplsLabels,
  protocolAddress,
  type StringType,
  string,
} from './payload.ts'
export {
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  NL_VALIDATE_OWN_MAXTYPE,
  NL_VALIDATE_STRICT,
  type ValidationLevel,
} from './policy.ts'
export { describePolicy, ownMaxType } from './policy-description.ts'
export { type EmbeddedType, embedded, followed, type RecordsType, records } from './record.ts'
export type { Scan } from './scan.ts'
export { type StructType, struct } from './struct.ts'
export {
  type AttrEntry,
  type AttrSelection,
  type AttrTable,
  constantName,
  type UnknownAttr,
} from './table.ts'
export { describeMessage, renderTree, type TreeNode } from './tree.ts'
export type { AnyType, Infer, Input, Shape, Type } from './type.ts'
export { exactOrMore, judgedBy, msecs, rejected, strictFrom } from './verdict.ts'
export type { Visitor } from './visitor.ts'
