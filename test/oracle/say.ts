/** Takes one answer under its name. */
export type Say = (name: string, answer: string | number) => void
