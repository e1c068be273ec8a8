/** Whether the keyboard has a Command key where others have Ctrl. Decides labels only. */
export const isMac = /Mac/.test(navigator.userAgent);
