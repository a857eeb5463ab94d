/**
 * The message types of links.
 *
 * Kernel: net/core/rtnetlink.c rtnetlink_init(); net/ipv6/addrconf.c addrconf_init();
 * net/bridge/br_netlink.c.
 */
import {
  AF_BRIDGE,
  AF_INET6,
  AF_UNSPEC,
  RTM_DELLINK,
  RTM_DELLINKPROP,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_NEWLINKPROP,
  RTM_SETLINK,
} from '../../families/rtnetlink.ts'
import { deleteLink, newLink, setLinkRequest } from './link.ts'
import { deleteBridgeLink, setBridgeLink } from './link-bridge-request.ts'
import { bridgePortDump, inet6LinkDump } from './link-family-dump.ts'
import { getLink, linkDump } from './link-get.ts'
import { deleteLinkProperty, newLinkProperty } from './link-prop.ts'
import type { RtnlTable } from './table.ts'

export function registerLinks(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_NEWLINK, { doit: newLink })
  table.register(AF_UNSPEC, RTM_SETLINK, { doit: setLinkRequest })
  table.register(AF_UNSPEC, RTM_DELLINK, { doit: deleteLink })
  table.register(AF_UNSPEC, RTM_GETLINK, { doit: getLink, dumpit: linkDump })
  table.register(AF_UNSPEC, RTM_NEWLINKPROP, { doit: newLinkProperty })
  table.register(AF_UNSPEC, RTM_DELLINKPROP, { doit: deleteLinkProperty })
  table.register(AF_INET6, RTM_GETLINK, { dumpit: inet6LinkDump })
  table.register(AF_BRIDGE, RTM_SETLINK, { doit: setBridgeLink })
  table.register(AF_BRIDGE, RTM_DELLINK, { doit: deleteBridgeLink })
  table.register(AF_BRIDGE, RTM_GETLINK, { dumpit: bridgePortDump })
}
