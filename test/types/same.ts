/** Whether two types are one. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles if a value has this type, neither a wider nor a narrower one. */
export function is<Expected>() {
  return <Actual>(
    _value: Actual,
    ..._wrong: Same<Actual, Expected> extends true ? [] : [never]
  ) => {};
}
