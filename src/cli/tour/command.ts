/** `nlkit tour`: what nlkit does, shown and checked. */
import { type Command, verb } from '../command.ts'

export const command: Command = {
  only: verb({ summary: 'x', examples: [], parameters: {}, run: async () => undefined }),
}
