/** Two people who each have a task with the same id. */
export const alice = "019aa000-0000-7000-8000-00000000000a";
export const bob = "019aa000-0000-7000-8000-00000000000b";

/** The id of the task that both have. */
export const taskId = "019aa5b2-3c8e-7d6f-8a1b-2c3d4e5f6a7b";

/** Two users with the same email address. */
export const twins = [
  "019aa000-0000-7000-8000-00000000000c",
  "019aa000-0000-7000-8000-00000000000d",
];

/** SQL that puts them all in. */
export const people = `
  insert into api.users (id, email)
  values
    ('${alice}', 'alice@example.com'),
    ('${bob}', 'bob@example.com'),
    ('${twins[0]}', 'twin@example.com'),
    ('${twins[1]}', 'twin@example.com');

  insert into api.tasks (user_id, id, title)
  values ('${alice}', '${taskId}', 'Alice''s'), ('${bob}', '${taskId}', 'Bob''s')
`;
