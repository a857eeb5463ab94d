/**
 * The part of nl80211 that shows a wireless device: `iw dev`, `iw list`.
 *
 * Kernel: include/uapi/linux/nl80211.h; net/wireless/nl80211.c.
 */
import {
  array,
  attrs,
  binary,
  flag,
  genlFamily,
  keyed,
  message,
  nest,
  string,
  u8,
  u16,
  u32,
  u64,
} from 'nlkit/schema'

/** A frequency in MHz; power in hundredths of a dBm. */
const frequency = attrs('NL80211_FREQUENCY_ATTR_', { freq: [1, u32], maxTxPower: [6, u32] })

/** A rate in units of 100 kbit/s. */
const bitrate = attrs('NL80211_BITRATE_ATTR_', { rate: [1, u32], shortPreamble2ghz: [2, flag] })

const band = attrs('NL80211_BAND_ATTR_', {
  freqs: [1, array(nest(frequency, 'noflag'), 'noflag', 0)],
  rates: [2, array(nest(bitrate, 'noflag'), 'noflag', 0)],
})

export const wirelessAttrs = attrs('NL80211_ATTR_', {
  wiphy: [1, u32],
  wiphyName: [2, string],
  ifindex: [3, u32],
  ifname: [4, string],
  iftype: [5, u32],
  mac: [6, binary],
  /** By NL80211_BAND_*. */
  wiphyBands: [22, keyed(nest(band, 'noflag'), 'noflag')],
  /** Kinds of interfaces, each a flag under its number. */
  supportedIftypes: [32, keyed(flag, 'noflag')],
  maxNumScanSsids: [43, u8],
  generation: [46, u32],
  supportedCommands: [50, array(u32, 'noflag')],
  maxScanIeLen: [56, u16],
  wiphyRetryShort: [61, u8],
  wiphyRetryLong: [62, u8],
  wiphyFragThreshold: [63, u32],
  wiphyRtsThreshold: [64, u32],
  use4addr: [83, u8],
  wiphyCoverageClass: [89, u8],
  wdev: [153, u64],
  protocolFeatures: [173, u32],
  splitWiphyDump: [174, flag],
})

const whole = message(wirelessAttrs)
const { only } = wirelessAttrs

export const nl80211 = genlFamily({
  name: 'nl80211',
  version: 1,
  groups: ['config', 'scan', 'regulatory', 'mlme', 'vendor'],
  ops: {
    getWiphy: {
      cmd: 1,
      replyCmd: 3,
      constant: 'NL80211_CMD_GET_WIPHY',
      do: { request: whole, reply: whole },
      dump: { request: whole, reply: whole },
    },
    getInterface: {
      cmd: 5,
      replyCmd: 7,
      constant: 'NL80211_CMD_GET_INTERFACE',
      do: { request: whole, reply: whole },
      dump: { request: whole, reply: whole },
    },
    getProtocolFeatures: {
      cmd: 95,
      constant: 'NL80211_CMD_GET_PROTOCOL_FEATURES',
      do: { request: whole, reply: message(only('protocolFeatures!')) },
    },
  },
})
