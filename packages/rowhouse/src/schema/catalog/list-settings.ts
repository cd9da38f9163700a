/** The settings whose value is a list of names; a name in it may be in quotes of its own. */
export const listSettings: readonly string[] = [
  "datestyle",
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "temp_tablespaces",
];

/** Whether the value of a setting is a list, which is written without quotes around it. */
export function isListSetting(name: string): boolean {
  return listSettings.includes(name.toLowerCase());
}
