/** Which suites there are, of which package, and how their programs are run on a bus. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A program of a suite. */
export interface Program {
  readonly name: string
  /** A line of the shell. */
  readonly line: string
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** It prints no cases; its status is its verdict. */
  readonly isOneCase: boolean
  /** The line that runs one case alone, where there is one. */
  readonly lineOf?: (name: string) => string
}

export interface Suite {
  readonly name: string
  /** The Debian package that has it. */
  readonly needs: string
  /** Undefined where the package is missing. */
  readonly programs: readonly Program[] | undefined
  /**
   * Programs start a daemon themselves: the first `dbus-daemon` of PATH, also named by
   * DBUS_TEST_DAEMON; or they want one that runs, by address.
   */
  readonly bus: 'started' | 'running'
}

const GLIB = '/usr/libexec/installed-tests/glib'
/** Those that use GDBus; each stands for itself or for what begins so. */
const GLIB_PROGRAMS =
  /^(gdbus-|dbus-appinfo$|gapplication$|actions$|gmenumodel$|gsettings$|defaultvalue$)/
/** Programs that the tests start, and no tests. */
const GLIB_HELPERS =
  /^(gdbus-(daemon|testserver|example|connection-flush-helper)|.*\.(c|py|gschema.*)$)/

function glib(): Program[] | undefined {
  if (!existsSync(GLIB)) return undefined
  const names = readdirSync('/usr/share/installed-tests/glib')
    .map((file) => file.replace(/\.test$/, ''))
    .filter((name) => GLIB_PROGRAMS.test(name) && !GLIB_HELPERS.test(name))
  return names.sort().map((name) => ({
    name,
    line: `./${name} --tap`,
    folder: GLIB,
    env: { G_TEST_SRCDIR: GLIB, G_TEST_BUILDDIR: GLIB },
    isOneCase: false,
    lineOf: (test) => `./${name} --tap -p '${test}'`,
  }))
}

/** Their .test files say how they are run. */
function freedesktop(build: string): Program[] | undefined {
  const folder = `/usr/share/installed-tests/${build}`
  if (!existsSync(folder)) return undefined
  const suffix = '_with_config.test'
  return readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .sort()
    .map((file) => ({
      name: file.slice(0, -suffix.length),
      line: /^Exec=(.*)$/m.exec(readFileSync(`${folder}/${file}`, 'utf8'))?.[1] ?? 'false',
      folder: '/',
      env: {},
      isOneCase: false,
    }))
}

const SYSTEMD = '/usr/lib/systemd/tests'

function systemd(): Program[] | undefined {
  if (!existsSync(`${SYSTEMD}/test-bus-chat`)) return undefined
  return readdirSync(SYSTEMD)
    .filter((name) => /^test-bus(-|ctl)/.test(name))
    .sort()
    .map((name) => ({
      name,
      line: `${SYSTEMD}/${name}`,
      folder: '/',
      env: { SYSTEMD_LOG_LEVEL: 'info' },
      isOneCase: true,
    }))
}

export const SUITES: readonly Suite[] = [
  { name: 'glib', needs: 'libglib2.0-tests', programs: glib(), bus: 'started' },
  { name: 'freedesktop', needs: 'dbus-tests', programs: freedesktop('dbus'), bus: 'started' },
  {
    name: 'freedesktop-debug',
    needs: 'dbus-tests',
    programs: freedesktop('dbus-debug-build'),
    bus: 'started',
  },
  { name: 'systemd', needs: 'systemd-tests', programs: systemd(), bus: 'running' },
]
