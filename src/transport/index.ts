/** nlkit/transport: the seam itself, for programs that speak netlink by hand. */
export { afNetlink } from './af-netlink.ts'
export { transportTo } from './choose.ts'
export type { Address, Socket, SocketInit, SocketOptions, Transport } from './transport.ts'
