/** nlkit/transport: the seam itself, for programs that speak netlink by hand. */
export { afNetlink } from './af-netlink.ts'
export { transportTo } from './choose.ts'
export { type RingOptions, ringTransport } from './ring.ts'
export type { Port } from './ring-protocol.ts'
export { type RingServer, serveRings } from './ring-server.ts'
export type { Address, Socket, SocketInit, SocketOptions, Transport } from './transport.ts'
