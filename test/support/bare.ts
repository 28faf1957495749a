// The environment of a command that gets nothing but what a test gives it: where commands are found, and where Node.js
// keeps what it has compiled, so that the hundreds of processes of a run start in half the time.
export function bareEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env
  return { PATH, ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }), ...more }
}
