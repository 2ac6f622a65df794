/** A page gets the parts of its address by name, such as `id` of `/tokens/:id`. */
export type PageProps = Record<string, string>;
