/** Which file another process of this program is started with. */
import { fileURLToPath } from 'node:url'

/** The bundles' own first lines if this process runs one of them, else those of the modules. */
export function programFile(): string {
  const isBundled = Symbol.for('nlkit.bundle') in globalThis
  return fileURLToPath(new URL(isBundled ? '../bundle/main.cjs' : './main.js', import.meta.url))
}
