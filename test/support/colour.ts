/** Red, green and blue, 0 … 1, linear in light. */
export type Light = readonly [number, number, number];

/** Of `#rrggbb`, `rgb(r, g, b)` or one of the names black and white. */
export function light(colour: string): Light {
  const named: Record<string, string> = { black: '#000000', white: '#ffffff' };
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(named[colour] ?? colour)?.slice(1);
  const rgb =
    hex?.map((part) => Number.parseInt(part, 16)) ??
    /^rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(colour)?.slice(1).map(Number);
  if (!rgb) throw new Error(`No colour: "${colour}"`);
  return rgb.map((x) =>
    x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4,
  ) as unknown as Light;
}

/**
 * How well a colour stands out from another: WCAG's contrast, 1 … 21. Text needs 4.5, large text 3.
 */
export function contrast(a: string, b: string): number {
  const [low, high] = [a, b].map((colour) => luminance(light(colour))).sort((p, q) => p - q);
  return (high + 0.05) / (low + 0.05);
}

function luminance([r, g, b]: Light): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * Linear light as it is seen with a kind of colour blindness, complete: Machado, Oliveira,
 * Fernandes, IEEE TVCG 15 (2009), severity 1.
 */
export const sight: Readonly<Record<string, readonly number[]>> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ],
  deuteranopia: [
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ],
  tritanopia: [
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ],
};

/**
 * How far apart two colours are to somebody who sees like this: the distance in CIELAB (ΔE of
 * 1976). 2.3 can just be noticed; black and white have 100.
 */
export function distance(a: string, b: string, kind: string): number {
  const [p, q] = [a, b].map((colour) => lab(seen(light(colour), sight[kind])));
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

function seen(l: Light, m: readonly number[]): Light {
  return [0, 3, 6].map((i) =>
    Math.min(1, Math.max(0, m[i] * l[0] + m[i + 1] * l[1] + m[i + 2] * l[2])),
  ) as unknown as Light;
}

function lab([r, g, b]: Light): [number, number, number] {
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
