/** What becomes of the columns of a system catalog; each stands in one of the two. */
interface Coverage {
  /** The columns that queries/ read, separated by spaces; "*" for all. */
  readonly compared?: string;
  /** Reasons, each with the columns that are left out for it; "*" for all others. */
  readonly leftOut?: Readonly<Record<string, string>>;
}

const owner =
  "the same migrations run as different owners; those of tables, views, functions and schemas (but public) are compared, since row-level security does not hold for them";
const identity = "identifies the row inside of one database";
const derived = "follows from what is compared";
const inherited = "follows from pg_inherits, which is compared";
const physical = "where and how the rows lie, which changes as they do";
const server = "belongs to whoever runs the server, not to one project";
const secret = "a secret; refused where it is declared";
const connection =
  "how another server is reached, which differs from server to server; refused where it is declared";
const rows = "rows; refused where they are declared";

/** The kinds that pg_dump describes with one function of PostgreSQL's: it names all columns. */
const whole = { compared: "*" };

/**
 * Every system catalog of PostgreSQL 15 to 18: what `db check` compares of it, and what it leaves out
 * and why. A test holds it against a live server. What sql/ and policies/ are refused for is in
 * refused.ts.
 */
const coverage: Readonly<Record<string, Coverage>> = {
  pg_aggregate: whole,
  pg_am: whole,
  pg_amop: {
    compared: "amopfamily amopstrategy amoppurpose amopopr amopsortfamily",
    leftOut: { [derived]: "oid amoplefttype amoprighttype amopmethod" },
  },
  pg_amproc: whole,
  pg_attrdef: whole,
  pg_attribute: {
    compared:
      "attrelid attname atttypid atttypmod attstorage attcompression attnotnull atthasdef attidentity attgenerated attisdropped attcollation attstattarget attacl attoptions attfdwoptions",
    leftOut: {
      [derived]: "attlen attndims attbyval attalign attcacheoff",
      [inherited]: "attislocal attinhcount",
      "a column that is added later stands last, wherever its file has it": "attnum",
      [physical]: "atthasmissing attmissingval",
    },
  },
  pg_auth_members: {
    compared: "roleid member admin_option inherit_option set_option",
    leftOut: { [identity]: "oid", [owner]: "grantor" },
  },
  pg_authid: {
    compared:
      "oid rolname rolsuper rolinherit rolcreaterole rolcreatedb rolcanlogin rolreplication rolbypassrls rolconnlimit rolvaliduntil",
    leftOut: { [secret]: "rolpassword" },
  },
  pg_cast: whole,
  pg_class: {
    compared:
      "oid relname relnamespace relowner reloftype relam reltablespace relpersistence relkind relrowsecurity relforcerowsecurity relreplident relispartition relacl reloptions relpartbound",
    leftOut: {
      [derived]:
        "reltype relhasindex relnatts relchecks relhasrules relhastriggers relhassubclass relisshared",
      [physical]:
        "relfilenode relpages reltuples relallvisible relallfrozen reltoastrelid relispopulated relrewrite relfrozenxid relminmxid",
    },
  },
  pg_collation: {
    compared:
      "oid collname collnamespace collprovider collisdeterministic collencoding collcollate collctype colllocale colliculocale collicurules",
    leftOut: { [owner]: "collowner", [server]: "collversion" },
  },
  pg_constraint: {
    compared:
      "oid conname connamespace contype condeferrable condeferred conenforced convalidated conrelid contypid confrelid confupdtype confdeltype confmatchtype connoinherit conperiod conkey confkey confdelsetcols conexclop conbin",
    leftOut: {
      [derived]: "conindid conparentid conpfeqop conppeqop conffeqop",
      [inherited]: "conislocal coninhcount",
    },
  },
  pg_conversion: {
    compared: "oid conname connamespace conforencoding contoencoding conproc condefault",
    leftOut: { [owner]: "conowner" },
  },
  pg_database: { compared: "datacl", leftOut: { [server]: "*" } },
  pg_db_role_setting: whole,
  pg_default_acl: whole,
  pg_depend: {
    compared: "classid objid objsubid refclassid refobjid refobjsubid deptype",
  },
  pg_description: whole,
  pg_enum: { compared: "enumtypid enumsortorder enumlabel", leftOut: { [identity]: "oid" } },
  pg_event_trigger: {
    compared: "oid evtname evtevent evtfoid evtenabled evttags",
    leftOut: { [owner]: "evtowner" },
  },
  pg_extension: {
    compared: "oid extname extnamespace",
    leftOut: {
      [owner]: "extowner",
      [server]: "extversion",
      "what an extension says about itself": "extrelocatable extconfig extcondition",
    },
  },
  pg_foreign_data_wrapper: {
    compared: "oid fdwname fdwhandler fdwvalidator fdwacl fdwoptions",
    leftOut: { [owner]: "fdwowner" },
  },
  pg_foreign_server: {
    compared: "oid srvname srvfdw srvtype srvversion srvacl srvoptions",
    leftOut: { [owner]: "srvowner" },
  },
  pg_foreign_table: whole,
  pg_index: {
    compared:
      "indexrelid indrelid indnatts indnkeyatts indisunique indnullsnotdistinct indisprimary indisexclusion indimmediate indisclustered indisvalid indisreplident indkey indcollation indclass indoption indexprs indpred",
    leftOut: { "a moment of building or dropping it": "indcheckxmin indisready indislive" },
  },
  pg_inherits: {
    compared: "inhrelid inhparent inhseqno",
    leftOut: { "a moment of `detach … concurrently`": "inhdetachpending" },
  },
  pg_init_privs: {
    leftOut: { "what PostgreSQL began with: the others are compared with it": "*" },
  },
  pg_language: {
    compared: "oid lanname lanpltrusted lanplcallfoid laninline lanvalidator lanacl",
    leftOut: { [owner]: "lanowner", [derived]: "lanispl" },
  },
  pg_largeobject: { leftOut: { [rows]: "*" } },
  pg_largeobject_metadata: { leftOut: { [rows]: "*" } },
  pg_namespace: { compared: "oid nspname nspowner nspacl" },
  pg_opclass: {
    compared: "oid opcmethod opcname opcnamespace opcfamily opcintype opcdefault opckeytype",
    leftOut: { [owner]: "opcowner" },
  },
  pg_operator: {
    compared:
      "oid oprname oprnamespace oprcanmerge oprcanhash oprleft oprright oprcom oprnegate oprcode oprrest oprjoin",
    leftOut: { [owner]: "oprowner", [derived]: "oprkind oprresult" },
  },
  pg_opfamily: {
    compared: "oid opfmethod opfname opfnamespace",
    leftOut: { [owner]: "opfowner" },
  },
  pg_parameter_acl: whole,
  pg_partitioned_table: whole,
  pg_policy: whole,
  pg_proc: {
    compared:
      "oid proname pronamespace proowner prolang procost prorows provariadic prosupport prokind prosecdef proleakproof proisstrict proretset provolatile proparallel pronargs pronargdefaults prorettype proargtypes proallargtypes proargmodes proargnames proargdefaults protrftypes prosrc probin prosqlbody proconfig proacl",
  },
  pg_publication: {
    compared:
      "oid pubname puballtables pubinsert pubupdate pubdelete pubtruncate pubviaroot pubgencols",
    leftOut: { [owner]: "pubowner" },
  },
  pg_publication_namespace: whole,
  pg_publication_rel: whole,
  pg_range: whole,
  pg_replication_origin: { leftOut: { [server]: "*" } },
  pg_rewrite: whole,
  pg_seclabel: whole,
  pg_sequence: whole,
  pg_shdepend: { leftOut: { [derived]: "*" } },
  pg_shdescription: whole,
  pg_shseclabel: whole,
  pg_statistic: { leftOut: { "what ANALYZE found in the rows": "*" } },
  pg_statistic_ext: {
    compared: "oid stxrelid stxname stxnamespace stxkeys stxstattarget stxkind stxexprs",
    leftOut: { [owner]: "stxowner" },
  },
  pg_statistic_ext_data: { leftOut: { "what ANALYZE found in the rows": "*" } },
  pg_subscription: { leftOut: { [connection]: "*" } },
  pg_subscription_rel: { leftOut: { "how far a subscription has come": "*" } },
  pg_tablespace: { leftOut: { [server]: "*" } },
  pg_transform: whole,
  pg_trigger: whole,
  pg_ts_config: {
    compared: "oid cfgname cfgnamespace cfgparser",
    leftOut: { [owner]: "cfgowner" },
  },
  pg_ts_config_map: whole,
  pg_ts_dict: {
    compared: "oid dictname dictnamespace dicttemplate dictinitoption",
    leftOut: { [owner]: "dictowner" },
  },
  pg_ts_parser: whole,
  pg_ts_template: whole,
  pg_type: {
    compared:
      "oid typname typnamespace typlen typbyval typtype typcategory typispreferred typisdefined typdelim typsubscript typelem typinput typoutput typreceive typsend typmodin typmodout typanalyze typalign typstorage typnotnull typbasetype typtypmod typcollation typdefaultbin typdefault typacl",
    leftOut: { [owner]: "typowner", [derived]: "typrelid typarray typndims" },
  },
  pg_user_mapping: { leftOut: { [connection]: "*" } },
};

/**
 * What is compared and yet not planned, by its kind in the catalog: its migration is written by hand,
 * which `db check` and the proof of the next one then hold. Operators and casts are planned by
 * ../plan/operators.ts, and nearly all else by pg-delta. A test tries each.
 */
export const unplanned: Readonly<Record<string, string>> = {
  "access method": "all of it",
  "base type": "all of it",
  conversion: "all of it",
  grant: "on what came with the server, on the database, on languages and on foreign servers",
  language: "all of it",
  "operator class": "all of it",
  "operator family": "all of it",
  property:
    "of columns storage, compression and options; of tables clustering, type, options of the toast table and of a foreign server; the persistence of a sequence; statistics of an index; an extension that a function needs",
  revoke: "on what came with the server",
  setting: "of a role or of all, in one database",
  statistics: "objects; the targets of columns are planned",
  "text search configuration": "its mappings",
  "text search dictionary": "all of it",
  transform: "all of it",
};

/**
 * The columns that stand in no list, as "pg_class.relnew", and those that stand in two.
 *
 * @param columns As "pg_class.relname".
 */
export function findUncovered(columns: readonly string[]): string[] {
  return columns.filter((column) => {
    const [catalog = "", name = ""] = column.split(".");
    const { compared = "", leftOut = {} } = coverage[catalog] ?? {};
    const lists = [compared, ...Object.values(leftOut)].map((list) => list.split(" "));
    const naming = lists.filter((list) => list.includes(name)).length;
    return naming > 1 || (naming === 0 && !lists.some((list) => list.includes("*")));
  });
}
