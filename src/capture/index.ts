/** `nlkit/capture`: capture files of netlink, kernels that are recorded, recordings that answer. */
export { encodeFrame, type Frame, readFrames } from './frame.ts'
export {
  type Direction,
  LINKTYPE_NETLINK,
  type Packet,
  pcapngHeader,
  pcapngPacket,
  readPackets,
} from './packets.ts'
export { type RecordSink, recordKernel } from './record.ts'
export { replayKernel } from './replay.ts'
