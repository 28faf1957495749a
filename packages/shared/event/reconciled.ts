// What is known of a delivery that GitLab did not send when it happened: its id tells.

/** How the ids of such deliveries, and of their effects, begin. */
export const reconciledPrefix = 'reconciled-'

/** Whether the effect with this id comes of such a delivery. */
export function isReconciled(effect: string): boolean {
  return effect.startsWith(reconciledPrefix)
}
