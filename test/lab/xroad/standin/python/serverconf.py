"""The local databases as the proxy sees them: 127.0.0.1:5433 `serverconf`, by /etc/xroad/db.properties."""
import re

import psycopg2

import common

CHANGES = "/usr/share/xroad/db/serverconf"
SCHEMA_LEVEL = r"select max(substring(id from '^[0-9]+')::int) from databasechangelog"


def connect():
    values = common.properties("/etc/xroad/db.properties")
    url = re.match(r"jdbc:postgresql://([^:/]+):(\d+)/(\w+)", values["serverconf.hibernate.connection.url"])
    connection = psycopg2.connect(
        host=url.group(1),
        port=url.group(2),
        dbname=url.group(3),
        user=values["serverconf.hibernate.connection.username"],
        password=values["serverconf.hibernate.connection.password"],
        options="-c search_path=serverconf,public -c statement_timeout=3000",
        connect_timeout=2,
    )
    connection.autocommit = True
    return connection


def query(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def schema_level(connection):
    return query(connection, SCHEMA_LEVEL)[0][0]


def services(connection):
    return dict(query(connection, "select code, url from service"))
