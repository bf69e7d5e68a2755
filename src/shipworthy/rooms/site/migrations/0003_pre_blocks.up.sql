-- Pages of blocks, saves made by the editor itself, and days on which a page comes and goes.
-- No blocks: the version is from before there were any, and its `body` is its one text. What the HTML holds in the
-- place of the title stands in top_html; json_ld is what search engines are told beside the page itself.
alter table page_version
  add column blocks jsonb,
  add column top_html text not null default '',
  add column json_ld jsonb not null default '[]',
  add column is_autosave boolean not null default false,
  add column author_name text not null default '';

-- `schedule` counts the changes of the two days: a job that was queued for an earlier one finds another number.
alter table page
  add column publish_at timestamptz,
  add column publish_version int,
  add column unpublish_at timestamptz,
  add column schedule int not null default 0,
  add check ((publish_at is null) = (publish_version is null)),
  add check (publish_at is null or unpublish_at is null or publish_at < unpublish_at);

-- When the day has come, it is a job that publishes; it writes no text and moves no page.
grant update (status, published_version, in_menu, content_sha256, content_changed_at, published_at, publish_at,
  publish_version, unpublish_at) on page to worker;
grant update (epoch) on site to worker;
