// The history of the journal's tables. Data definition commits by itself in MySQL, so each migration is one statement
// that can be repeated. What has been released is never changed, only followed by another.
import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements: Record<string, string> = {
  '2026-11-23-deliveries': `
    create table if not exists deliveries (
      id varchar(200) character set ascii collate ascii_bin not null primary key,
      received_at datetime(3) not null,
      kind varchar(100) not null,
      action varchar(100),
      project varchar(500),
      iid int unsigned,
      username varchar(255),
      title varchar(500),
      origin varchar(12) character set ascii not null,
      key received (received_at),
      key kind (kind, received_at),
      key project (project, kind, received_at),
      key merge_request (project, iid, received_at)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-words': `
    create table if not exists words (
      word varchar(40) not null,
      received_at datetime(3) not null,
      delivery varchar(200) character set ascii collate ascii_bin not null,
      primary key (word, received_at, delivery)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-bodies': `
    create table if not exists bodies (
      delivery varchar(200) character set ascii collate ascii_bin not null primary key,
      headers text not null,
      body longblob not null
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-feed': `
    create table if not exists feed (
      time bigint unsigned not null,
      number int unsigned not null,
      delivery varchar(200) character set ascii collate ascii_bin not null,
      previous varchar(30) character set ascii,
      primary key (time, number),
      key delivery (delivery)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-decisions': `
    create table if not exists decisions (
      delivery varchar(200) character set ascii collate ascii_bin not null,
      sink varchar(40) character set ascii not null,
      reason varchar(600),
      primary key (delivery, sink)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-effects': `
    create table if not exists effects (
      id varchar(700) character set ascii collate ascii_bin not null primary key,
      delivery varchar(200) character set ascii collate ascii_bin not null,
      sink varchar(40) character set ascii not null,
      order_key varchar(600) not null,
      task int unsigned,
      state varchar(10) character set ascii not null,
      reason varchar(600),
      error char(12) character set ascii,
      link varchar(1000),
      made varchar(200),
      attempts int unsigned not null default 0,
      since datetime(3) not null,
      received_at datetime(3) not null,
      kind varchar(100) not null,
      project varchar(500),
      ended_at datetime(3),
      key delivery (delivery),
      key sink (sink, state, kind, received_at),
      key ended (state, ended_at),
      key error (state, error, sink, kind, project, ended_at, received_at, delivery),
      key task (task, received_at)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-attempts': `
    create table if not exists attempts (
      effect varchar(700) character set ascii collate ascii_bin not null,
      at datetime(3) not null,
      number int unsigned not null,
      ms int unsigned not null,
      reason varchar(600) not null,
      primary key (effect, at),
      key at (at)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-acts': `
    create table if not exists acts (
      id bigint unsigned not null auto_increment primary key,
      at datetime(3) not null,
      who varchar(100) not null,
      verb varchar(20) not null,
      reason varchar(600) not null,
      details text not null,
      count int unsigned not null,
      key at (at)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-replays': `
    create table if not exists replays (
      id bigint unsigned not null auto_increment primary key,
      at datetime(3) not null,
      who varchar(100) not null,
      reason varchar(600) not null,
      rate double not null,
      selection mediumtext not null,
      state varchar(12) character set ascii not null,
      stopped varchar(200),
      chosen int unsigned not null,
      act bigint unsigned,
      key state (state, at)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-23-replay-effects': `
    create table if not exists replay_effects (
      number bigint unsigned not null auto_increment primary key,
      replay bigint unsigned not null,
      effect varchar(700) character set ascii collate ascii_bin not null,
      died datetime(3),
      outcome varchar(10) character set ascii,
      key outcome (replay, outcome, number)
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-30-marks': `
    create table if not exists marks (
      name varchar(40) character set ascii not null primary key,
      at datetime(3) not null
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,

  '2026-11-30-messages': `
    create table if not exists messages (
      delivery varchar(200) character set ascii collate ascii_bin not null primary key,
      rules smallint unsigned not null,
      about text,
      bytes int unsigned not null,
      message mediumblob not null
    ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,
}

export const migrations: Record<string, Migration> = Object.fromEntries(
  Object.entries(statements).map(([name, statement]) => [name, { up: async (db) => void (await sql.raw(statement).execute(db)) }]),
)
