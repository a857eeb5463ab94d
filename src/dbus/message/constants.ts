/** Numbers of the D-Bus wire format (D-Bus Specification 0.42, "Message Format"). */

/** Message types. */
export const METHOD_CALL = 1
export const METHOD_RETURN = 2
export const ERROR = 3
export const SIGNAL = 4

/** Flags of a message. */
export const NO_REPLY_EXPECTED = 0x1
export const NO_AUTO_START = 0x2
export const ALLOW_INTERACTIVE_AUTHORIZATION = 0x4

/** Codes of header fields. */
export const FIELD_PATH = 1
export const FIELD_INTERFACE = 2
export const FIELD_MEMBER = 3
export const FIELD_ERROR_NAME = 4
export const FIELD_REPLY_SERIAL = 5
export const FIELD_DESTINATION = 6
export const FIELD_SENDER = 7
export const FIELD_SIGNATURE = 8
export const FIELD_UNIX_FDS = 9

/** The only protocol version. */
export const PROTOCOL_VERSION = 1
/** First bytes of a message: its byte order. */
export const LITTLE_ENDIAN = 0x6c
export const BIG_ENDIAN = 0x42

/** Bytes before the header fields: the fixed part, and the length of their array. */
export const FIXED_BYTES = 16
/** Longest message, longest array, longest signature, longest name; bytes. */
export const MAX_MESSAGE_BYTES = 0x8000000
export const MAX_ARRAY_BYTES = 0x4000000
export const MAX_SIGNATURE_BYTES = 255
export const MAX_NAME_BYTES = 255
/** Deepest nesting of arrays, of structs, and of containers altogether, variants included. */
export const MAX_ARRAY_DEPTH = 32
export const MAX_STRUCT_DEPTH = 32
export const MAX_DEPTH = 64
