import type { Message } from '#shared/event/message-schema.ts'

export type Told = Record<'dt' | 'kind' | 'who' | 'words' | 'what' | 'address' | 'story' | 'where' | 'home', string>
export function told(message: Message): Told
