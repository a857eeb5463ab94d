/** What the bus itself is called. */
export const BUS_NAME = 'org.freedesktop.DBus'
export const BUS_PATH = '/org/freedesktop/DBus'
/** What stands for the name of somebody who has not said Hello (dbus-daemon, bus/dispatch.c). */
export const NOT_YET = ':not.active.yet'
