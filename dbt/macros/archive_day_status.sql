{#- archive_day_status(days, passes): CTEs pass_0..pass_n over relation `days` (day, hours_present, files_complete,
    line_count, is_lost), each with a status full | part | none; a lost day is none. A day is compared with the median lines of the 8 previous same
    weekdays that are not none; that looks at itself, and engines disagree on recursion, so the question is asked
    again `passes` times: a pass settles one more outage in a row. The last CTE is named `judged`. -#}
{% macro archive_day_status(days, passes=3) %}
pass_0 as (

    select day, hours_present, files_complete, line_count, is_lost,
        cast(null as double) as median_lines,
        case when hours_present = 0 or is_lost then 'none' else 'part' end as status
    from {{ days }}

),
{% for n in range(1, passes + 1) %}
pairs_{{ n }} as (

    select d.day, p.line_count,
        row_number() over (partition by d.day order by p.day desc) as age
    from pass_{{ n - 1 }} as d
    inner join pass_{{ n - 1 }} as p
        on p.day < d.day and mod(date_diff('day', p.day, d.day), 7) = 0 and p.status <> 'none'

),

ordered_{{ n }} as (

    select day, line_count,
        row_number() over (partition by day order by line_count, age) as place,
        count(*) over (partition by day) as n
    from pairs_{{ n }}
    where age <= 8

),

medians_{{ n }} as (

    select day, avg(cast(line_count as double)) as median_lines
    from ordered_{{ n }}
    where place * 2 between n and n + 2
    group by day

),

pass_{{ n }} as (

    select d.day, d.hours_present, d.files_complete, d.line_count, d.is_lost, m.median_lines,
        case
            when d.hours_present = 0 or d.is_lost then 'none'
            when m.median_lines is not null and d.line_count < 0.2e0 * m.median_lines then 'none'
            when d.files_complete = 25 and (m.median_lines is null or d.line_count >= 0.6e0 * m.median_lines) then 'full'
            else 'part'
        end as status
    from pass_0 as d
    left join medians_{{ n }} as m
        on d.day = m.day

),
{% endfor %}
judged as (

    select * from pass_{{ passes }}

)
{% endmacro %}
