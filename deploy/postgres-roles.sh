#!/usr/bin/env bash
# Run once by PostgreSQL's image, when the database is made: the desk's own role, which owns nothing.
# Migrations grant it what it needs.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --no-password --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv password DESK_DB_PASSWORD
CREATE ROLE paydesk_desk LOGIN PASSWORD :'password';
SQL
