{#- one_row_per(columns, since): the grain: no two rows share `columns`, and none of them is null. With `since`, a build
    of some days looks at the rows whose column of that name is not before them. -#}
{% test one_row_per(model, columns, since=none) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
{% if since and is_partial() %}where {{ since }} >= {% if since == 'archive_day' %}date '{{ told("rebuild_from") }}'{% else %}{{ rebuild_day() }}{% endif %}{% endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
