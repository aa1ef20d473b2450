// Which source token each target token looks at, and whether that is right.

// Whether an attention's rows and columns are those that the true alignment links.
const isAlignment = ({queries, keys}) => queries === "target" && keys === "source";

// The key with the largest of a query's weights, which are rows of `count`.
function largestKey(weights, count, query) {
  let largest = 0;
  for (let key = 1; key < count; ++key)
    if (weights[query * count + key] > weights[query * count + largest]) largest = key;
  return largest;
}

// How many queries the links, [query, key], link to a key, and how many of these look most at one
// to which they are linked.
function countAligned(weights, count, links) {
  const keysOf = new Map();
  for (const [query, key] of links) keysOf.set(query, [...keysOf.get(query) ?? [], key]);
  let right = 0;
  for (const [query, keys] of keysOf) right += keys.includes(largestKey(weights, count, query));
  return {right, linked: keysOf.size};
}
