-- An older release shows the HTML that was made of blocks, and has an empty text to edit.
revoke update (epoch) on site from worker;
revoke update (status, published_version, in_menu, content_sha256, content_changed_at, published_at, publish_at,
  publish_version, unpublish_at) on page from worker;
alter table page drop column publish_at, drop column publish_version, drop column unpublish_at, drop column schedule;
alter table page_version drop column blocks, drop column top_html, drop column json_ld, drop column is_autosave,
  drop column author_name;
