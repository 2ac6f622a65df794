export const title = 'There is nothing here';
export const why = 'The address may be mistyped, or what was here is gone.';
export const home = 'Go to your tokens';
