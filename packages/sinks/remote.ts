// The systems that sinks call. What is said of one when it is down, held, or refuses us goes by its name.

/** `name` is how status and holds call it; `title` how a sentence does, when that is another word. */
export type Named = { name: string; title?: string }

/** `at` is its address, for the doctor's look at its clock; undefined while that is not known. */
export type Remote<S> = Named & { at: (settings: S) => string | undefined }

/** The remote in a sentence. */
export function titleOf({ name, title = name }: Named): string {
  return title
}
