/**
 * A number of a token as PostgREST hands it to PostgreSQL: with the same value, in another form. Policies that
 * compare claims as texts see it.
 *
 * @param literal A number of JSON.
 */
export function formatLikePostgrest(literal: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal) ?? [];
  const scale = Number(exponent) - fraction.length;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const isWhole = scale >= 0 && scale <= 1024;
  if (digits === "") return isWhole ? "0" : "0.0";
  if (isWhole) return `${sign}${digits}${"0".repeat(scale)}`;
  const point = digits.length + scale;
  const significant = digits.replace(/0+$/, "");
  return `${sign}${point >= 0 && point <= 7 ? plain(significant, point) : scientific(significant, point)}`;
}

/** @param point How many digits stand before the decimal point. */
function plain(digits: string, point: number): string {
  const whole = digits.slice(0, point).padEnd(point, "0");
  return `${whole || "0"}.${digits.slice(point) || "0"}`;
}

function scientific(digits: string, point: number): string {
  return `${digits.slice(0, 1)}.${digits.slice(1) || "0"}e${point - 1}`;
}
