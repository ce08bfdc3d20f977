-- The catalog as the version before schema step 3 left it, after a short life of three tenants: archives, backups, a restore.
CREATE DATABASE `tidemark` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
USE `tidemark`;
CREATE TABLE `archive_destination` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `path` varchar(2048) NOT NULL,
  `binding` varchar(16) NOT NULL,
  `piece_switch_days` bigint(20) NOT NULL,
  `state` varchar(16) NOT NULL,
  PRIMARY KEY (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `archive_destination` (`tenant_id`, `dest_id`, `path`, `binding`, `piece_switch_days`, `state`) VALUES (1002,1001,'file:///backup/shop_log','OPTIONAL',1,'ENABLE');
CREATE TABLE `archive_piece` (
  `tenant_id` bigint(20) NOT NULL,
  `piece_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `round_id` bigint(20) NOT NULL,
  `status` varchar(64) NOT NULL,
  `file_status` varchar(64) NOT NULL,
  `start_scn` bigint(20) unsigned NOT NULL,
  `checkpoint_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `max_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `end_scn` bigint(20) unsigned NOT NULL,
  `input_bytes` bigint(20) NOT NULL DEFAULT 0,
  `output_bytes` bigint(20) NOT NULL DEFAULT 0,
  `path` varchar(2048) NOT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`,`piece_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `archive_piece` (`tenant_id`, `piece_id`, `dest_id`, `round_id`, `status`, `file_status`, `start_scn`, `checkpoint_scn`, `max_scn`, `end_scn`, `input_bytes`, `output_bytes`, `path`, `create_time`) VALUES (1002,1,1001,1,'FROZEN','AVAILABLE',1795735566923364859,1795735570062471259,0,1795735570062471259,0,0,'file:///backup/shop_log','2026-11-26 23:26:07.017464');
INSERT INTO `archive_piece` (`tenant_id`, `piece_id`, `dest_id`, `round_id`, `status`, `file_status`, `start_scn`, `checkpoint_scn`, `max_scn`, `end_scn`, `input_bytes`, `output_bytes`, `path`, `create_time`) VALUES (1002,2,1001,2,'ACTIVE','AVAILABLE',1795735573829208339,1795735576877709612,0,1795821973829208339,0,0,'file:///backup/shop_log','2026-11-26 23:26:13.852004');
CREATE TABLE `archive_round` (
  `tenant_id` bigint(20) NOT NULL,
  `round_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `status` varchar(64) NOT NULL,
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `checkpoint_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `base_piece_id` bigint(20) NOT NULL,
  `used_piece_id` bigint(20) NOT NULL,
  `piece_switch_days` bigint(20) NOT NULL,
  `input_bytes` bigint(20) NOT NULL DEFAULT 0,
  `output_bytes` bigint(20) NOT NULL DEFAULT 0,
  `deleted_input_bytes` bigint(20) NOT NULL DEFAULT 0,
  `deleted_output_bytes` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(2048) NOT NULL,
  PRIMARY KEY (`tenant_id`,`round_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `archive_round` (`tenant_id`, `round_id`, `dest_id`, `status`, `start_scn`, `checkpoint_scn`, `base_piece_id`, `used_piece_id`, `piece_switch_days`, `input_bytes`, `output_bytes`, `deleted_input_bytes`, `deleted_output_bytes`, `comment`, `path`) VALUES (1002,1,1001,'STOP',1795735566923364859,1795735570062471259,1,1,1,0,0,0,0,'','file:///backup/shop_log');
INSERT INTO `archive_round` (`tenant_id`, `round_id`, `dest_id`, `status`, `start_scn`, `checkpoint_scn`, `base_piece_id`, `used_piece_id`, `piece_switch_days`, `input_bytes`, `output_bytes`, `deleted_input_bytes`, `deleted_output_bytes`, `comment`, `path`) VALUES (1002,2,1001,'DOING',1795735573829208339,1795735576877709612,2,2,1,0,0,0,0,'','file:///backup/shop_log');
CREATE TABLE `backup_destination` (
  `tenant_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `path` varchar(2048) NOT NULL,
  PRIMARY KEY (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `backup_destination` (`tenant_id`, `dest_id`, `path`) VALUES (1002,1002,'file:///backup/shop_data');
CREATE TABLE `backup_job` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL DEFAULT 0,
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `executors` mediumtext NOT NULL,
  `dest_id` bigint(20) NOT NULL DEFAULT 0,
  `plus_archivelog` tinyint(4) NOT NULL DEFAULT 0,
  `backup_type` varchar(64) NOT NULL,
  `job_level` varchar(64) NOT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `end_time` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `description` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`,`job_id`),
  KEY `initiator_tenant_id` (`initiator_tenant_id`,`initiator_job_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `backup_job_history` (
  `tenant_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL DEFAULT 0,
  `initiator_tenant_id` bigint(20) NOT NULL,
  `initiator_job_id` bigint(20) NOT NULL,
  `executors` mediumtext NOT NULL,
  `dest_id` bigint(20) NOT NULL DEFAULT 0,
  `plus_archivelog` tinyint(4) NOT NULL DEFAULT 0,
  `backup_type` varchar(64) NOT NULL,
  `job_level` varchar(64) NOT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `end_time` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `description` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`,`job_id`),
  KEY `initiator_tenant_id` (`initiator_tenant_id`,`initiator_job_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `backup_job_history` (`tenant_id`, `job_id`, `backup_set_id`, `initiator_tenant_id`, `initiator_job_id`, `executors`, `dest_id`, `plus_archivelog`, `backup_type`, `job_level`, `start_time`, `end_time`, `status`, `result`, `comment`, `description`, `path`) VALUES (1,1,0,1,0,'1002',0,0,'FULL','SYS_TENANT','2026-11-26 23:26:07.132312','2026-11-26 23:26:08.374771','COMPLETED',0,'','','');
INSERT INTO `backup_job_history` (`tenant_id`, `job_id`, `backup_set_id`, `initiator_tenant_id`, `initiator_job_id`, `executors`, `dest_id`, `plus_archivelog`, `backup_type`, `job_level`, `start_time`, `end_time`, `status`, `result`, `comment`, `description`, `path`) VALUES (1,2,0,1,0,'1002',0,0,'FULL','SYS_TENANT','2026-11-26 23:26:13.940017','2026-11-26 23:26:15.016534','COMPLETED',0,'','','');
INSERT INTO `backup_job_history` (`tenant_id`, `job_id`, `backup_set_id`, `initiator_tenant_id`, `initiator_job_id`, `executors`, `dest_id`, `plus_archivelog`, `backup_type`, `job_level`, `start_time`, `end_time`, `status`, `result`, `comment`, `description`, `path`) VALUES (1002,1,1,1,1,'1002',1002,0,'FULL','USER_TENANT','2026-11-26 23:26:07.132312','2026-11-26 23:26:08.374771','COMPLETED',0,'','','file:///backup/shop_data');
INSERT INTO `backup_job_history` (`tenant_id`, `job_id`, `backup_set_id`, `initiator_tenant_id`, `initiator_job_id`, `executors`, `dest_id`, `plus_archivelog`, `backup_type`, `job_level`, `start_time`, `end_time`, `status`, `result`, `comment`, `description`, `path`) VALUES (1002,2,2,1,2,'1002',1002,0,'FULL','USER_TENANT','2026-11-26 23:26:13.940017','2026-11-26 23:26:15.016534','COMPLETED',0,'','','file:///backup/shop_data');
CREATE TABLE `backup_set` (
  `tenant_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `dest_id` bigint(20) NOT NULL,
  `backup_type` varchar(64) NOT NULL,
  `prev_full_set_id` bigint(20) NOT NULL DEFAULT 0,
  `prev_inc_set_id` bigint(20) NOT NULL DEFAULT 0,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `end_time` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL,
  `file_status` varchar(64) NOT NULL,
  `plus_archivelog` tinyint(4) NOT NULL DEFAULT 0,
  `start_replay_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `min_restore_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `consistent_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `input_bytes` bigint(20) NOT NULL DEFAULT 0,
  `output_bytes` bigint(20) NOT NULL DEFAULT 0,
  `extra_meta_bytes` bigint(20) NOT NULL DEFAULT 0,
  `tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `macro_block_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_macro_block_count` bigint(20) NOT NULL DEFAULT 0,
  `file_count` bigint(20) NOT NULL DEFAULT 0,
  `log_file_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_log_file_count` bigint(20) NOT NULL DEFAULT 0,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `tenant_compatible` varchar(64) NOT NULL DEFAULT '',
  `backup_compatible` bigint(20) NOT NULL DEFAULT 1,
  `cluster_version` varchar(64) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL,
  PRIMARY KEY (`tenant_id`,`backup_set_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `backup_set` (`tenant_id`, `backup_set_id`, `dest_id`, `backup_type`, `prev_full_set_id`, `prev_inc_set_id`, `start_time`, `end_time`, `status`, `file_status`, `plus_archivelog`, `start_replay_scn`, `min_restore_scn`, `consistent_scn`, `input_bytes`, `output_bytes`, `extra_meta_bytes`, `tablet_count`, `finish_tablet_count`, `macro_block_count`, `finish_macro_block_count`, `file_count`, `log_file_count`, `finish_log_file_count`, `result`, `comment`, `tenant_compatible`, `backup_compatible`, `cluster_version`, `path`) VALUES (1002,1,1002,'FULL',0,0,'2026-11-26 23:26:07.304424','2026-11-26 23:26:08.374771','SUCCESS','AVAILABLE',0,1795735566923364859,1795735566923364859,1795735566923364859,90383272,1547265,0,30,30,44,44,3,0,0,0,'','4.3.3.0',1,'4.3.3.0','file:///backup/shop_data');
INSERT INTO `backup_set` (`tenant_id`, `backup_set_id`, `dest_id`, `backup_type`, `prev_full_set_id`, `prev_inc_set_id`, `start_time`, `end_time`, `status`, `file_status`, `plus_archivelog`, `start_replay_scn`, `min_restore_scn`, `consistent_scn`, `input_bytes`, `output_bytes`, `extra_meta_bytes`, `tablet_count`, `finish_tablet_count`, `macro_block_count`, `finish_macro_block_count`, `file_count`, `log_file_count`, `finish_log_file_count`, `result`, `comment`, `tenant_compatible`, `backup_compatible`, `cluster_version`, `path`) VALUES (1002,2,1002,'FULL',0,0,'2026-11-26 23:26:14.013386','2026-11-26 23:26:15.016534','SUCCESS','AVAILABLE',0,1795735573829208339,1795735573829208339,1795735573829208339,90402641,1552721,0,30,30,44,44,3,0,0,0,'','4.3.3.0',1,'4.3.3.0','file:///backup/shop_data');
CREATE TABLE `backup_task` (
  `tenant_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `end_time` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL,
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `end_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `user_ls_start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `input_bytes` bigint(20) NOT NULL DEFAULT 0,
  `output_bytes` bigint(20) NOT NULL DEFAULT 0,
  `extra_meta_bytes` bigint(20) NOT NULL DEFAULT 0,
  `tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `macro_block_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_macro_block_count` bigint(20) NOT NULL DEFAULT 0,
  `file_count` bigint(20) NOT NULL DEFAULT 0,
  `log_file_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_log_file_count` bigint(20) NOT NULL DEFAULT 0,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`,`task_id`),
  KEY `tenant_id` (`tenant_id`,`job_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `backup_task_history` (
  `tenant_id` bigint(20) NOT NULL,
  `task_id` bigint(20) NOT NULL,
  `job_id` bigint(20) NOT NULL,
  `backup_set_id` bigint(20) NOT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `end_time` timestamp(6) NULL DEFAULT NULL,
  `status` varchar(64) NOT NULL,
  `start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `end_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `user_ls_start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `input_bytes` bigint(20) NOT NULL DEFAULT 0,
  `output_bytes` bigint(20) NOT NULL DEFAULT 0,
  `extra_meta_bytes` bigint(20) NOT NULL DEFAULT 0,
  `tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `macro_block_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_macro_block_count` bigint(20) NOT NULL DEFAULT 0,
  `file_count` bigint(20) NOT NULL DEFAULT 0,
  `log_file_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_log_file_count` bigint(20) NOT NULL DEFAULT 0,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(4096) NOT NULL DEFAULT '',
  `path` varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (`tenant_id`,`task_id`),
  KEY `tenant_id` (`tenant_id`,`job_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `backup_task_history` (`tenant_id`, `task_id`, `job_id`, `backup_set_id`, `start_time`, `end_time`, `status`, `start_scn`, `end_scn`, `user_ls_start_scn`, `input_bytes`, `output_bytes`, `extra_meta_bytes`, `tablet_count`, `finish_tablet_count`, `macro_block_count`, `finish_macro_block_count`, `file_count`, `log_file_count`, `finish_log_file_count`, `result`, `comment`, `path`) VALUES (1002,1,1,1,'2026-11-26 23:26:07.304424','2026-11-26 23:26:08.374771','COMPLETED',1795735567306197236,1795735568308651677,1795735567308063304,90383272,1547265,0,30,30,44,44,3,0,0,0,'','file:///backup/shop_data');
INSERT INTO `backup_task_history` (`tenant_id`, `task_id`, `job_id`, `backup_set_id`, `start_time`, `end_time`, `status`, `start_scn`, `end_scn`, `user_ls_start_scn`, `input_bytes`, `output_bytes`, `extra_meta_bytes`, `tablet_count`, `finish_tablet_count`, `macro_block_count`, `finish_macro_block_count`, `file_count`, `log_file_count`, `finish_log_file_count`, `result`, `comment`, `path`) VALUES (1002,2,2,2,'2026-11-26 23:26:14.013386','2026-11-26 23:26:15.016534','COMPLETED',1795735574014993576,1795735574854320739,1795735574015249117,90402641,1552721,0,30,30,44,44,3,0,0,0,'','file:///backup/shop_data');
CREATE TABLE `cluster` (
  `id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `cluster` (`id`, `name`) VALUES (1587874029,'tidemark');
CREATE TABLE `commit_marker` (
  `owner` bigint(20) unsigned NOT NULL,
  `slot` int(11) NOT NULL,
  `token` bigint(20) unsigned NOT NULL,
  `at` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`owner`,`slot`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `destination` (
  `dest_id` bigint(20) NOT NULL,
  `tenant_id` bigint(20) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `path` varchar(2048) NOT NULL,
  PRIMARY KEY (`dest_id`),
  KEY `tenant_id` (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `destination` (`dest_id`, `tenant_id`, `kind`, `path`) VALUES (1001,1002,'archive_log','file:///backup/shop_log');
INSERT INTO `destination` (`dest_id`, `tenant_id`, `kind`, `path`) VALUES (1002,1002,'backup_data','file:///backup/shop_data');
CREATE TABLE `own_tenant` (
  `tenant_id` bigint(20) NOT NULL,
  PRIMARY KEY (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `own_tenant` (`tenant_id`) VALUES (1);
CREATE TABLE `parameter_definition` (
  `name` varchar(128) NOT NULL,
  `data_type` varchar(128) NOT NULL,
  `scope` varchar(64) NOT NULL,
  `default_value` varchar(512) NOT NULL,
  `default_number` bigint(20) DEFAULT NULL,
  `section` varchar(128) NOT NULL,
  `edit_level` varchar(128) NOT NULL,
  `info` varchar(4096) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('archive_lag_target','TIME','TENANT','120s',120000000,'LOG_ARCHIVE','DYNAMIC_EFFECTIVE','how far the log archive may lag behind before it is written out');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('backup_data_file_size','CAPACITY','TENANT','4G',4294967296,'BACKUP','DYNAMIC_EFFECTIVE','size at which data files of a backup are cut');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('compatible','VERSION','TENANT','4.3.3.0',NULL,'ROOT_SERVICE','READONLY','the OceanBase version whose statements and views are served');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('ha_high_thread_score','INT','TENANT','0',0,'RESTORE','DYNAMIC_EFFECTIVE','threads of restore jobs; 0: chosen by the server');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('ha_low_thread_score','INT','TENANT','0',0,'BACKUP','DYNAMIC_EFFECTIVE','threads of backup and cleaning jobs; 0: chosen by the server');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('ha_mid_thread_score','INT','TENANT','0',0,'TENANT','DYNAMIC_EFFECTIVE','threads of migration jobs; 0: chosen by the server');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('log_archive_concurrency','INT','TENANT','0',0,'LOG_ARCHIVE','DYNAMIC_EFFECTIVE','threads of the log archive; 0: chosen by the server');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('log_restore_concurrency','INT','TENANT','0',0,'RESTORE','DYNAMIC_EFFECTIVE','threads that replay the log of a restoring or standby tenant; 0: chosen by the server');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('standby_db_fetch_log_rpc_timeout','TIME','TENANT','15s',15000000,'RESTORE','DYNAMIC_EFFECTIVE','how long a standby waits for its primary\'s answer');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('standby_fetch_log_bandwidth_limit','CAPACITY','CLUSTER','0M',0,'RESTORE','DYNAMIC_EFFECTIVE','bytes per second that all standbys together may fetch; 0: no limit');
INSERT INTO `parameter_definition` (`name`, `data_type`, `scope`, `default_value`, `default_number`, `section`, `edit_level`, `info`) VALUES ('tenant_destination_roots','STRING','CLUSTER','',NULL,'BACKUP','DYNAMIC_EFFECTIVE','directories, separated by commas, below which tenants may set destinations themselves');
CREATE TABLE `parameter_value` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL,
  `value` varchar(512) NOT NULL,
  `number` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`tenant_id`,`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `parameter_value` (`tenant_id`, `name`, `value`, `number`) VALUES (0,'tenant_destination_roots','/backup',NULL);
INSERT INTO `parameter_value` (`tenant_id`, `name`, `value`, `number`) VALUES (1002,'backup_data_file_size','1G',1073741824);
CREATE TABLE `resource_pool` (
  `id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL,
  `tenant_id` bigint(20) DEFAULT NULL,
  `unit_count` bigint(20) NOT NULL,
  `unit_config_id` bigint(20) NOT NULL,
  `zone_list` varchar(8192) NOT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`),
  KEY `tenant_id` (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `resource_pool` (`id`, `name`, `tenant_id`, `unit_count`, `unit_config_id`, `zone_list`, `create_time`, `modify_time`) VALUES (1,'sys_pool',1,1,1,'zone1','2026-11-26 23:25:59.696392','2026-11-26 23:25:59.696392');
INSERT INTO `resource_pool` (`id`, `name`, `tenant_id`, `unit_count`, `unit_config_id`, `zone_list`, `create_time`, `modify_time`) VALUES (1001,'p_shop',1002,1,1001,'zone1','2026-11-26 23:25:59.766353','2026-11-26 23:25:59.771415');
INSERT INTO `resource_pool` (`id`, `name`, `tenant_id`, `unit_count`, `unit_config_id`, `zone_list`, `create_time`, `modify_time`) VALUES (1002,'p_books',1004,1,1002,'zone1','2026-11-26 23:26:02.561695','2026-11-26 23:26:02.576766');
INSERT INTO `resource_pool` (`id`, `name`, `tenant_id`, `unit_count`, `unit_config_id`, `zone_list`, `create_time`, `modify_time`) VALUES (1003,'p_back',1006,1,1003,'zone1','2026-11-26 23:26:10.223792','2026-11-26 23:26:10.345033');
CREATE TABLE `restore_job` (
  `job_id` bigint(20) NOT NULL,
  `tenant_id` bigint(20) NOT NULL DEFAULT 0,
  `tenant_name` varchar(128) NOT NULL,
  `backup_tenant_id` bigint(20) NOT NULL DEFAULT 0,
  `backup_tenant_name` varchar(128) NOT NULL DEFAULT '',
  `backup_cluster_name` varchar(128) NOT NULL DEFAULT '',
  `backup_dest` longtext NOT NULL,
  `restore_option` varchar(4096) NOT NULL,
  `restore_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `sys_status` varchar(64) NOT NULL,
  `tenant_status` varchar(64) DEFAULT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `finish_time` timestamp(6) NULL DEFAULT NULL,
  `set_list` longtext NOT NULL,
  `piece_list` longtext NOT NULL,
  `description` varchar(1024) DEFAULT NULL,
  `backup_cluster_version` bigint(20) NOT NULL DEFAULT 0,
  `total_bytes` bigint(20) DEFAULT NULL,
  `finish_bytes` bigint(20) NOT NULL DEFAULT 0,
  `tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `recover_start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `recover_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(1024) DEFAULT NULL,
  PRIMARY KEY (`job_id`),
  KEY `tenant_id` (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `restore_job_history` (
  `job_id` bigint(20) NOT NULL,
  `tenant_id` bigint(20) NOT NULL DEFAULT 0,
  `tenant_name` varchar(128) NOT NULL,
  `backup_tenant_id` bigint(20) NOT NULL DEFAULT 0,
  `backup_tenant_name` varchar(128) NOT NULL DEFAULT '',
  `backup_cluster_name` varchar(128) NOT NULL DEFAULT '',
  `backup_dest` longtext NOT NULL,
  `restore_option` varchar(4096) NOT NULL,
  `restore_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `sys_status` varchar(64) NOT NULL,
  `tenant_status` varchar(64) DEFAULT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `finish_time` timestamp(6) NULL DEFAULT NULL,
  `set_list` longtext NOT NULL,
  `piece_list` longtext NOT NULL,
  `description` varchar(1024) DEFAULT NULL,
  `backup_cluster_version` bigint(20) NOT NULL DEFAULT 0,
  `total_bytes` bigint(20) DEFAULT NULL,
  `finish_bytes` bigint(20) NOT NULL DEFAULT 0,
  `tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `finish_tablet_count` bigint(20) NOT NULL DEFAULT 0,
  `recover_start_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `recover_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `result` bigint(20) NOT NULL DEFAULT 0,
  `comment` varchar(1024) DEFAULT NULL,
  PRIMARY KEY (`job_id`),
  KEY `tenant_id` (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `restore_job_history` (`job_id`, `tenant_id`, `tenant_name`, `backup_tenant_id`, `backup_tenant_name`, `backup_cluster_name`, `backup_dest`, `restore_option`, `restore_scn`, `sys_status`, `tenant_status`, `start_time`, `finish_time`, `set_list`, `piece_list`, `description`, `backup_cluster_version`, `total_bytes`, `finish_bytes`, `tablet_count`, `finish_tablet_count`, `recover_start_scn`, `recover_scn`, `result`, `comment`) VALUES (1,1006,'back',1002,'shop','tidemark','file:///backup/shop_data,file:///backup/shop_log','pool_list=p_back',1795735570062471259,'RESTORE_SUCCESS','RESTORE_SUCCESS','2026-11-26 23:26:10.288203','2026-11-26 23:26:11.384663','file:///backup/shop_data/backup_set_1_full','file:///backup/shop_log/piece_d1001r1p1',NULL,17180066560,90383272,90383272,30,30,1795735566923364859,1795735570062471259,0,NULL);
CREATE TABLE `rootservice_event` (
  `id` bigint(20) NOT NULL,
  `at` timestamp(6) NOT NULL,
  `module` varchar(64) NOT NULL,
  `event` varchar(64) NOT NULL,
  `name1` varchar(256) DEFAULT NULL,
  `value1` varchar(256) DEFAULT NULL,
  `name2` varchar(256) DEFAULT NULL,
  `value2` varchar(256) DEFAULT NULL,
  `name3` varchar(256) DEFAULT NULL,
  `value3` varchar(256) DEFAULT NULL,
  `name4` varchar(256) DEFAULT NULL,
  `value4` varchar(256) DEFAULT NULL,
  `name5` varchar(256) DEFAULT NULL,
  `value5` varchar(256) DEFAULT NULL,
  `name6` varchar(256) DEFAULT NULL,
  `value6` varchar(256) DEFAULT NULL,
  `extra_info` varchar(512) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `rootservice_event` (`id`, `at`, `module`, `event`, `name1`, `value1`, `name2`, `value2`, `name3`, `value3`, `name4`, `value4`, `name5`, `value5`, `name6`, `value6`, `extra_info`) VALUES (1,'2026-11-26 23:26:13.485346','backup_data','start_backup_data','tenant_id','1002','result','-9070',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'can not connect to backup destination (file:///backup/shop_data is not there)');
CREATE TABLE `schema_version` (
  `version` int(11) NOT NULL,
  PRIMARY KEY (`version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `schema_version` (`version`) VALUES (1);
INSERT INTO `schema_version` (`version`) VALUES (2);
CREATE TABLE `sequence` (
  `name` varchar(64) NOT NULL,
  `scope` bigint(20) NOT NULL,
  `last` bigint(20) NOT NULL,
  PRIMARY KEY (`name`,`scope`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('backup_job',1,2);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('backup_job',1002,2);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('backup_set',1002,2);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('backup_task',1002,2);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('destination',0,1002);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('resource_pool',0,1003);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('restore_job',0,1);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('rootservice_event',0,1);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('tenant',0,1006);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('unit',0,1003);
INSERT INTO `sequence` (`name`, `scope`, `last`) VALUES ('unit_config',0,1003);
CREATE TABLE `server` (
  `id` bigint(20) NOT NULL,
  `ip` varchar(46) NOT NULL,
  `rpc_port` bigint(20) NOT NULL,
  `sql_port` bigint(20) NOT NULL,
  `zone` varchar(128) NOT NULL,
  `build_version` varchar(256) NOT NULL,
  `start_service_time` timestamp(6) NULL DEFAULT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `ip` (`ip`,`rpc_port`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `server` (`id`, `ip`, `rpc_port`, `sql_port`, `zone`, `build_version`, `start_service_time`, `create_time`, `modify_time`) VALUES (1,'127.0.0.1',25738,25737,'zone1','4.3.3.0_tidemark-0.1.0','2026-11-26 23:25:59.698304','2026-11-26 23:25:59.696392','2026-11-26 23:25:59.698304');
CREATE TABLE `server_resource` (
  `server_id` bigint(20) NOT NULL,
  `cpu_capacity` bigint(20) NOT NULL,
  `memory_capacity` bigint(20) NOT NULL,
  `disk_capacity` bigint(20) NOT NULL,
  `log_disk_in_use` bigint(20) DEFAULT NULL,
  `data_disk_in_use` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`server_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `server_resource` (`server_id`, `cpu_capacity`, `memory_capacity`, `disk_capacity`, `log_disk_in_use`, `data_disk_in_use`) VALUES (1,2,25276502016,270553174016,NULL,NULL);
CREATE TABLE `setting_change` (
  `tenant_id` bigint(20) NOT NULL,
  `change_id` bigint(20) NOT NULL,
  `scn` bigint(20) unsigned NOT NULL,
  `gtid` longtext NOT NULL,
  `settings` longtext NOT NULL,
  PRIMARY KEY (`tenant_id`,`change_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `tenant` (
  `tenant_id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL,
  `status` varchar(64) NOT NULL,
  `role` varchar(100) NOT NULL,
  `mode` varchar(6) NOT NULL,
  `switchover_status` varchar(100) NOT NULL,
  `switchover_epoch` bigint(20) NOT NULL,
  `primary_zone` varchar(128) NOT NULL,
  `locality` varchar(4096) NOT NULL,
  `comment` varchar(4096) NOT NULL,
  `log_mode` varchar(100) NOT NULL,
  `locked` tinyint(4) NOT NULL DEFAULT 0,
  `server_id` int(10) unsigned NOT NULL,
  `charset` varchar(64) NOT NULL,
  `collation` varchar(64) NOT NULL,
  `variables` longtext NOT NULL,
  `sync_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `readable_scn` bigint(20) unsigned NOT NULL DEFAULT 0,
  `recovery_until_scn` bigint(20) unsigned NOT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`tenant_id`),
  UNIQUE KEY `name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `tenant` (`tenant_id`, `name`, `status`, `role`, `mode`, `switchover_status`, `switchover_epoch`, `primary_zone`, `locality`, `comment`, `log_mode`, `locked`, `server_id`, `charset`, `collation`, `variables`, `sync_scn`, `readable_scn`, `recovery_until_scn`, `create_time`, `modify_time`) VALUES (1,'sys','NORMAL','PRIMARY','MYSQL','NORMAL',0,'zone1','FULL{1}@zone1','system tenant','NOARCHIVELOG',0,2064919006,'utf8mb4','utf8mb4_general_ci','{}',0,0,4611686018427387903,'2026-11-26 23:25:59.696392','2026-11-26 23:25:59.696392');
INSERT INTO `tenant` (`tenant_id`, `name`, `status`, `role`, `mode`, `switchover_status`, `switchover_epoch`, `primary_zone`, `locality`, `comment`, `log_mode`, `locked`, `server_id`, `charset`, `collation`, `variables`, `sync_scn`, `readable_scn`, `recovery_until_scn`, `create_time`, `modify_time`) VALUES (1002,'shop','NORMAL','PRIMARY','MYSQL','NORMAL',0,'RANDOM','FULL{1}@zone1','','ARCHIVELOG',0,2735553400,'utf8mb4','utf8mb4_general_ci','{\"system_time_zone\":\"Etc/UTC\"}',1795735576877709612,1795735576877709612,4611686018427387903,'2026-11-26 23:25:59.771415','2026-11-26 23:26:13.787966');
INSERT INTO `tenant` (`tenant_id`, `name`, `status`, `role`, `mode`, `switchover_status`, `switchover_epoch`, `primary_zone`, `locality`, `comment`, `log_mode`, `locked`, `server_id`, `charset`, `collation`, `variables`, `sync_scn`, `readable_scn`, `recovery_until_scn`, `create_time`, `modify_time`) VALUES (1004,'books','NORMAL','PRIMARY','ORACLE','NORMAL',0,'RANDOM','FULL{1}@zone1','','NOARCHIVELOG',0,1387705193,'utf8mb4','utf8mb4_general_ci','{\"ob_compatibility_mode\":\"oracle\",\"system_time_zone\":\"Etc/UTC\"}',0,0,4611686018427387903,'2026-11-26 23:26:02.576766','2026-11-26 23:26:04.547833');
INSERT INTO `tenant` (`tenant_id`, `name`, `status`, `role`, `mode`, `switchover_status`, `switchover_epoch`, `primary_zone`, `locality`, `comment`, `log_mode`, `locked`, `server_id`, `charset`, `collation`, `variables`, `sync_scn`, `readable_scn`, `recovery_until_scn`, `create_time`, `modify_time`) VALUES (1006,'back','NORMAL','PRIMARY','MYSQL','NORMAL',2,'RANDOM','FULL{1}@zone1','','NOARCHIVELOG',0,3973011538,'utf8mb4','utf8mb4_general_ci','{\"ob_compatibility_mode\":\"MYSQL\",\"system_time_zone\":\"Etc/UTC\"}',1795735570062471259,1795735570062471259,4611686018427387903,'2026-11-26 23:26:10.345033','2026-11-26 23:26:11.427572');
CREATE TABLE `tenant_job` (
  `job_id` bigint(20) NOT NULL,
  `job_type` varchar(128) NOT NULL,
  `status` varchar(128) NOT NULL,
  `result_code` bigint(20) DEFAULT NULL,
  `progress` bigint(20) NOT NULL,
  `tenant_id` bigint(20) DEFAULT NULL,
  `sql_text` longtext DEFAULT NULL,
  `extra_info` varchar(512) DEFAULT NULL,
  `start_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`job_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `tenant_secret` (
  `tenant_id` bigint(20) NOT NULL,
  `reference` varchar(1024) NOT NULL,
  PRIMARY KEY (`tenant_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `tenant_secret` (`tenant_id`, `reference`) VALUES (1002,'file:1002/secret');
INSERT INTO `tenant_secret` (`tenant_id`, `reference`) VALUES (1004,'file:1004/secret');
INSERT INTO `tenant_secret` (`tenant_id`, `reference`) VALUES (1006,'file:1006/secret');
CREATE TABLE `unit` (
  `id` bigint(20) NOT NULL,
  `tenant_id` bigint(20) DEFAULT NULL,
  `pool_id` bigint(20) NOT NULL,
  `group_id` bigint(20) NOT NULL,
  `zone` varchar(128) NOT NULL,
  `server_id` bigint(20) NOT NULL,
  `unit_config_id` bigint(20) NOT NULL,
  `log_disk_in_use` bigint(20) DEFAULT NULL,
  `data_disk_in_use` bigint(20) DEFAULT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `tenant_id` (`tenant_id`),
  KEY `pool_id` (`pool_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `unit` (`id`, `tenant_id`, `pool_id`, `group_id`, `zone`, `server_id`, `unit_config_id`, `log_disk_in_use`, `data_disk_in_use`, `create_time`, `modify_time`) VALUES (1,1,1,0,'zone1',1,1,NULL,NULL,'2026-11-26 23:25:59.696392','2026-11-26 23:25:59.696392');
INSERT INTO `unit` (`id`, `tenant_id`, `pool_id`, `group_id`, `zone`, `server_id`, `unit_config_id`, `log_disk_in_use`, `data_disk_in_use`, `create_time`, `modify_time`) VALUES (1001,1002,1001,0,'zone1',1,1001,NULL,NULL,'2026-11-26 23:25:59.766353','2026-11-26 23:25:59.771415');
INSERT INTO `unit` (`id`, `tenant_id`, `pool_id`, `group_id`, `zone`, `server_id`, `unit_config_id`, `log_disk_in_use`, `data_disk_in_use`, `create_time`, `modify_time`) VALUES (1002,1004,1002,0,'zone1',1,1002,NULL,NULL,'2026-11-26 23:26:02.561695','2026-11-26 23:26:02.576766');
INSERT INTO `unit` (`id`, `tenant_id`, `pool_id`, `group_id`, `zone`, `server_id`, `unit_config_id`, `log_disk_in_use`, `data_disk_in_use`, `create_time`, `modify_time`) VALUES (1003,1006,1003,0,'zone1',1,1003,NULL,NULL,'2026-11-26 23:26:10.223792','2026-11-26 23:26:10.345033');
CREATE TABLE `unit_config` (
  `id` bigint(20) NOT NULL,
  `name` varchar(128) NOT NULL,
  `max_cpu` double NOT NULL,
  `min_cpu` double NOT NULL,
  `memory_size` bigint(20) NOT NULL,
  `log_disk_size` bigint(20) NOT NULL,
  `max_iops` bigint(20) NOT NULL,
  `min_iops` bigint(20) NOT NULL,
  `iops_weight` bigint(20) NOT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `unit_config` (`id`, `name`, `max_cpu`, `min_cpu`, `memory_size`, `log_disk_size`, `max_iops`, `min_iops`, `iops_weight`, `create_time`, `modify_time`) VALUES (1,'sys_unit_config',1,1,134217728,2147483648,10000,10000,1,'2026-11-26 23:25:59.696392','2026-11-26 23:25:59.696392');
INSERT INTO `unit_config` (`id`, `name`, `max_cpu`, `min_cpu`, `memory_size`, `log_disk_size`, `max_iops`, `min_iops`, `iops_weight`, `create_time`, `modify_time`) VALUES (1001,'u_p_shop',2,2,268435456,2147483648,9223372036854775807,9223372036854775807,2,'2026-11-26 23:25:59.748675','2026-11-26 23:25:59.748675');
INSERT INTO `unit_config` (`id`, `name`, `max_cpu`, `min_cpu`, `memory_size`, `log_disk_size`, `max_iops`, `min_iops`, `iops_weight`, `create_time`, `modify_time`) VALUES (1002,'u_p_books',2,2,268435456,2147483648,9223372036854775807,9223372036854775807,2,'2026-11-26 23:26:02.547187','2026-11-26 23:26:02.547187');
INSERT INTO `unit_config` (`id`, `name`, `max_cpu`, `min_cpu`, `memory_size`, `log_disk_size`, `max_iops`, `min_iops`, `iops_weight`, `create_time`, `modify_time`) VALUES (1003,'u_p_back',2,2,268435456,2147483648,9223372036854775807,9223372036854775807,2,'2026-11-26 23:26:10.179906','2026-11-26 23:26:10.179906');
CREATE TABLE `view_version` (
  `fingerprint` bigint(20) unsigned NOT NULL,
  PRIMARY KEY (`fingerprint`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `zone` (
  `name` varchar(128) NOT NULL,
  `region` varchar(128) NOT NULL,
  `idc` varchar(128) NOT NULL,
  `create_time` timestamp(6) NULL DEFAULT NULL,
  `modify_time` timestamp(6) NULL DEFAULT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO `zone` (`name`, `region`, `idc`, `create_time`, `modify_time`) VALUES ('zone1','default_region','','2026-11-26 23:25:59.696392','2026-11-26 23:25:59.696392');
