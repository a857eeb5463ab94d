/**
 * thermal: zones that have a temperature, and what cools them.
 *
 * Kernel: include/uapi/linux/thermal.h; drivers/thermal/thermal_netlink.c (Linux 6.18).
 */
import { attrs, genlFamily, message, multi, nest, s32, string, u32 } from '../schema/index.ts'

export const THERMAL_GENL_CMD_TZ_GET_ID = 1
export const THERMAL_GENL_CMD_TZ_GET_TEMP = 3
export const THERMAL_GENL_CMD_TZ_GET_GOV = 4
export const THERMAL_GENL_CMD_CDEV_GET = 6

const zoneDefinitions = {
  tzId: [2, u32],
  /** Thousandths of a degree Celsius. */
  tzTemp: [3, s32],
  tzName: [10, string.max(20)],
  tzGov: [12, string],
  tzGovName: [13, string.max(20)],
  cdevId: [15, u32],
  cdevCurState: [16, u32],
  cdevMaxState: [17, u32],
  cdevName: [18, string.max(20)],
} as const
/** One zone or one cooling device in a list: its attributes repeat without a nest of their own. */
export const thermalItemAttrs = attrs('THERMAL_GENL_ATTR_', {
  tzId: [2, multi(u32)],
  tzName: [10, multi(string)],
  cdevId: [15, multi(u32)],
  cdevName: [18, multi(string)],
})
export const thermalAttrs = attrs('THERMAL_GENL_ATTR_', {
  ...zoneDefinitions,
  tz: [1, nest(thermalItemAttrs)],
  cdev: [14, nest(thermalItemAttrs)],
})
const zone = message(thermalAttrs.only('tzId!'))

export const thermal = genlFamily({
  name: 'thermal',
  version: 2,
  maxattr: 27,
  groups: ['sampling', 'event'],
  ops: {
    /** All zones, in one message. */
    tzGetId: {
      cmd: THERMAL_GENL_CMD_TZ_GET_ID,
      constant: 'THERMAL_GENL_CMD_TZ_GET_ID',
      dump: { reply: message(thermalAttrs.only('tz')) },
    },
    tzGetTemp: {
      cmd: THERMAL_GENL_CMD_TZ_GET_TEMP,
      constant: 'THERMAL_GENL_CMD_TZ_GET_TEMP',
      do: { request: zone, reply: message(thermalAttrs.only('tzId', 'tzTemp')) },
    },
    tzGetGov: {
      cmd: THERMAL_GENL_CMD_TZ_GET_GOV,
      constant: 'THERMAL_GENL_CMD_TZ_GET_GOV',
      do: { request: zone, reply: message(thermalAttrs.only('tzId', 'tzGovName')) },
    },
    /** All cooling devices, in one message. */
    cdevGet: {
      cmd: THERMAL_GENL_CMD_CDEV_GET,
      constant: 'THERMAL_GENL_CMD_CDEV_GET',
      dump: { reply: message(thermalAttrs.only('cdev')) },
    },
  },
})
