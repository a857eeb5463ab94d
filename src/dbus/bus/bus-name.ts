/** What the bus itself is called. */
export const BUS_NAME = 'org.freedesktop.DBus'
export const BUS_PATH = '/org/freedesktop/DBus'
