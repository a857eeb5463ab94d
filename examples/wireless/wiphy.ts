/**
 * A module with one simulated wireless device, for `iw dev` and `iw list`:
 *
 *   nlkit run --module build/examples/wireless/wiphy.js -- iw list
 */
import { NetlinkError } from 'nlkit'
import { defineModule } from 'nlkit/kernel'
import { nl80211 } from './nl80211.ts'

const STATION = 2
const MONITOR = 6
const SPLIT_WIPHY_DUMP = 1
const BAND_2GHZ = 0
const UNLIMITED = 0xffffffff

/** Channels 1 to 13 and 14, in MHz. */
const CHANNELS = [...Array.from({ length: 13 }, (_, i) => 2412 + 5 * i), 2484]
/** Rates of 802.11b and g, in units of 100 kbit/s; the slow ones have a short preamble, too. */
const RATES = [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540]

const wiphy = {
  wiphy: 0,
  wiphyName: 'phy0',
  generation: 1,
  wiphyRetryShort: 7,
  wiphyRetryLong: 4,
  wiphyFragThreshold: UNLIMITED,
  wiphyRtsThreshold: UNLIMITED,
  wiphyCoverageClass: 0,
  maxNumScanSsids: 4,
  maxScanIeLen: 2257,
  supportedIftypes: [STATION, MONITOR].map((key) => ({ key, value: true as const })),
  wiphyBands: [
    {
      key: BAND_2GHZ,
      value: {
        freqs: CHANNELS.map((freq) => ({ freq, maxTxPower: 2000 })),
        rates: RATES.map((rate) =>
          rate > 10 && rate < 60 ? { rate, shortPreamble2ghz: true as const } : { rate },
        ),
      },
    },
  ],
}

const wlan0 = {
  wiphy: 0,
  ifindex: 100,
  ifname: 'wlan0',
  iftype: STATION,
  wdev: 1n,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 0),
  generation: 1,
  use4addr: 0,
}

/** What was asked about is there: a wireless device or an interface. @throws NetlinkError ENODEV */
function check(asked: {
  readonly wiphy?: number | undefined
  readonly ifindex?: number | undefined
}) {
  const { wiphy: index = wlan0.wiphy, ifindex = wlan0.ifindex } = asked
  if (index !== wlan0.wiphy || ifindex !== wlan0.ifindex) throw new NetlinkError('ENODEV')
}

export const wirelessDevice = defineModule({
  name: 'wiphy',
  license: 'MIT',
  description: 'One simulated wireless device',
  init(kernel) {
    const family = kernel.genl.registerFamily(nl80211, {
      getWiphy: {
        doit(request) {
          check(request)
          return wiphy
        },
        *dumpit() {
          yield wiphy
        },
      },
      getInterface: {
        doit(request) {
          check(request)
          return wlan0
        },
        *dumpit() {
          yield wlan0
        },
      },
      getProtocolFeatures: { doit: () => ({ protocolFeatures: SPLIT_WIPHY_DUMP }) },
    })
    return () => kernel.genl.unregisterFamily(family)
  },
})
