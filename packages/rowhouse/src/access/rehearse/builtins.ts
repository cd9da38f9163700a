/**
 * What is known of PostgreSQL's own functions. Those that its catalog calls immutable look at nothing
 * but their arguments; of the others only these are known:
 *
 * - harmless: they come to the same for every role, in every connection, at one time, by the settings
 *   that `formats` names;
 * - role: they look at the role that runs them, and at privileges, which a rehearsal can do as that
 *   role;
 * - request: they look at the connection or are different each time, so only a request shows them.
 *
 * All others may look at anything.
 */
export function classify(
  name: string,
): "harmless" | "role" | "privileges" | "request" | "anything" {
  if (harmless.has(name)) return "harmless";
  if (name === "pg_has_role" || /^has_\w+_privilege$/.test(name)) return "privileges";
  if (roleFunctions.has(name)) return "role";
  return requestFunctions.has(name) ? "request" : "anything";
}

const roleFunctions = words(`
  current_user getpgusername pg_sleep pg_sleep_for pg_sleep_until row_security_active`);

const requestFunctions = words(`
  application_name clock_timestamp current_query gen_random_uuid inet_client_addr inet_client_port
  inet_server_addr inet_server_port pg_backend_pid pg_conf_load_time pg_current_snapshot
  pg_current_xact_id pg_current_xact_id_if_assigned pg_is_in_recovery pg_postmaster_start_time random
  random_normal session_user set_config timeofday txid_current txid_current_if_assigned
  txid_current_snapshot uuidv4 uuidv7 version`);

/** current_setting() is judged by the setting that it reads. */
const harmless = words(`
  age any_value anytextcat array_agg array_in array_out array_recv array_send array_to_json
  array_to_string array_to_tsvector bit_and bit_or cash_in cash_out concat concat_ws count cume_dist
  current_date current_setting current_time current_timestamp date date_add date_cmp_timestamptz
  date_eq_timestamptz date_ge_timestamptz date_gt_timestamptz date_in date_le_timestamptz
  date_lt_timestamptz date_ne_timestamptz date_out date_part date_subtract date_trunc dense_rank
  enum_first enum_last enum_range extract first_value format format_type generate_series
  generate_subscripts interval interval_in json_agg json_agg_strict json_array_elements
  json_array_elements_text json_build_array json_build_object json_object_agg json_object_agg_strict
  json_object_agg_unique json_object_keys json_populate_record json_populate_recordset json_to_record
  json_to_recordset jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object jsonb_object_agg
  jsonb_object_agg_strict jsonb_object_agg_unique jsonb_path_exists_tz jsonb_path_match_tz
  jsonb_path_query_array_tz jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
  jsonb_populate_record_valid jsonb_populate_recordset jsonb_to_record jsonb_to_recordset lag
  last_value lead localtime localtimestamp make_timestamptz money now nth_value ntile
  numeric_to_money overlaps percent_rank pg_column_size pg_input_is_valid pg_typeof
  phraseto_tsquery plainto_tsquery quote_literal quote_nullable rank record_in record_out
  regexp_split_to_array row_number row_to_json statement_timestamp string_agg text textanycat time
  timestamp timestamp_cmp_timestamptz timestamp_eq_timestamptz timestamp_ge_timestamptz
  timestamp_gt_timestamptz timestamp_le_timestamptz timestamp_lt_timestamptz
  timestamp_ne_timestamptz timestamptz timestamptz_cmp_date timestamptz_cmp_timestamp
  timestamptz_eq_date timestamptz_eq_timestamp timestamptz_in timestamptz_out timetz timezone
  timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector
  transaction_timestamp ts_headline ts_match_tq ts_match_tt tsrange tstzrange unnest
  websearch_to_tsquery`);

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/** The settings by which PostgreSQL reads and writes values, in lower case. */
export const formats: readonly string[] = [
  "bytea_output",
  "datestyle",
  "default_text_search_config",
  "extra_float_digits",
  "intervalstyle",
  "lc_messages",
  "lc_monetary",
  "lc_numeric",
  "lc_time",
  "row_security",
  "search_path",
  "timezone",
  "timezone_abbreviations",
  "transform_null_equals",
  "xmlbinary",
  "xmloption",
];

/** What reading a setting shows, in lower case; settings of the formats are harmless, too. */
export function classifySetting(name: string): "harmless" | "role" | "request" {
  if (/^request\.jwt\.claims?(\.|$)/.test(name)) return "harmless";
  // What `rowhouse db table --shared` writes: empty when a request begins.
  if (/^request\.(new|left)_/.test(name)) return "harmless";
  if (formats.includes(name) && name !== "search_path" && name !== "row_security")
    return "harmless";
  if (/^server_(encoding|version|version_num)$/.test(name)) return "harmless";
  return name === "role" || name === "is_superuser" ? "role" : "request";
}

/** Types whose values are names: to read or write one looks into the catalog. */
export function isCatalogType(name: string): boolean {
  return /^reg[a-z]+$/.test(name);
}
