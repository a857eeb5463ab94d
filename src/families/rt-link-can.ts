/**
 * Controllers of CAN buses, as links carry them.
 *
 * Kernel: include/uapi/linux/can/netlink.h; drivers/net/can/dev/netlink.c can_fill_info() (Linux
 * 6.18). Times are in time quanta, which `tq` has in nanoseconds.
 */
import { attrs, binary, enumeration, list, nest, struct, u16, u32 } from '../schema/index.ts'

export const canBittiming = struct('can_bittiming', {
  /** Bits a second. */
  bitrate: u32,
  /** Tenths of a percent. */
  samplePoint: u32,
  tq: u32,
  propSeg: u32,
  phaseSeg1: u32,
  phaseSeg2: u32,
  sjw: u32,
  brp: u32,
})
export const canBittimingConst = struct('can_bittiming_const', {
  /** Padded with zeros. */
  name: binary.exact(16),
  tseg1Min: u32,
  tseg1Max: u32,
  tseg2Min: u32,
  tseg2Max: u32,
  sjwMax: u32,
  brpMin: u32,
  brpMax: u32,
  brpInc: u32,
})
/** Hertz. */
export const canClock = struct('can_clock', { freq: u32 })
export const canBerrCounter = struct('can_berr_counter', { txerr: u16, rxerr: u16 })
/** CAN_CTRLMODE_*: which are meant, and which are set. */
export const canCtrlmode = struct('can_ctrlmode', { mask: u32, flags: u32 })
export const canDeviceStats = struct('can_device_stats', {
  busError: u32,
  errorWarning: u32,
  errorPassive: u32,
  busOff: u32,
  arbitrationLost: u32,
  restarts: u32,
})

const tdcAttrs = attrs('IFLA_CAN_TDC_', {
  tdcvMin: [1, u32],
  tdcvMax: [2, u32],
  tdcoMin: [3, u32],
  tdcoMax: [4, u32],
  tdcfMin: [5, u32],
  tdcfMax: [6, u32],
  tdcv: [7, u32],
  tdco: [8, u32],
  tdcf: [9, u32],
})

const canDefinitions = {
  bittiming: [1, canBittiming],
  bittimingConst: [2, canBittimingConst],
  clock: [3, canClock],
  state: [
    4,
    enumeration(u32, {
      error_active: 0,
      error_warning: 1,
      error_passive: 2,
      bus_off: 3,
      stopped: 4,
      sleeping: 5,
    }),
  ],
  ctrlmode: [5, canCtrlmode],
  /** Milliseconds after which a controller that went off comes back; 0 for never. */
  restartMs: [6, u32],
  /** In requests: come back now. */
  restart: [7, u32],
  berrCounter: [8, canBerrCounter],
  dataBittiming: [9, canBittiming],
  dataBittimingConst: [10, canBittimingConst],
  /** Ohm. */
  termination: [11, u16],
  terminationConst: [12, list(u16)],
  bitrateConst: [13, list(u32)],
  dataBitrateConst: [14, list(u32)],
  bitrateMax: [15, u32],
  tdc: [16, nest(tdcAttrs)],
  ctrlmodeExt: [17, nest(attrs('IFLA_CAN_CTRLMODE_', { supported: [1, u32] }))],
} as const
export interface CanDefinitions extends Readonly<typeof canDefinitions> {}
export const canAttrs = attrs('IFLA_CAN_', canDefinitions as CanDefinitions)
