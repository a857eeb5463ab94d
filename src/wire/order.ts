/** Byte order: the only file that asks which one this machine has. */

/** Whether this machine is little-endian; netlink headers and most payloads are in host order. */
export const HOST_LE: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
