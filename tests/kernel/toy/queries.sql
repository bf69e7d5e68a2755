-- note_create --
-- Write a note.
-- index: none (insert)   rows: <= 0
-- with: note_id = gen_random_uuid(), text = 'x'
insert into note (note_id, text) values (:note_id, :text)

-- note_get --
-- One note by id.
-- index: note_pkey   rows: <= 1
-- with: note_id = gen_random_uuid()
select note_id, text from note where note_id = :note_id

-- note_list --
-- All notes, oldest first.
-- index: note_pkey   rows: <= 100
select text from note order by note_id limit 100
